import { SLOW } from "../support/abuse/attacks.ts";
import { enduring } from "../support/abuse/enduring.ts";

enduring("peers that are slow, or deaf", "plain", SLOW);
