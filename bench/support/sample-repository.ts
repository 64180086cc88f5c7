import { join } from "node:path";

/** The folder that the server serves by default. */
export const SAMPLE_REPOSITORY = join(import.meta.dir, "../../repository");
