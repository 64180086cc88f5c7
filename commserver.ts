import { basename } from "node:path";

// Both programs are one file under two names, because most of it is the runtime. A name that a user has made up, by a
// link or by renaming, stands for the server when it says so.
const names = [process.argv0, process.execPath].map((path) => basename(path).toLowerCase().replace("commserver", ""));
if (names.some((name) => name.includes("server"))) await import("./server.ts");
else await import("./client.ts");
