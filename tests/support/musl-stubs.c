/* What libstdc++.a and libgcc_eh.a of a system with glibc want beside what musl has. No program here throws past them. */
__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;
char __libc_single_threaded = 0;
unsigned arc4random(void) { return 0; }
int _dl_find_object(void *address, void *result) { return -1; }
