import { setDefaultTimeout } from "bun:test";

// A test that waits in vain ends by this; it is no measure of anything, and loaded machines are slow.
setDefaultTimeout(30_000);
