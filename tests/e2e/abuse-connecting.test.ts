import { CONNECTING } from "../support/abuse/attacks.ts";
import { enduring } from "../support/abuse/enduring.ts";

enduring("peers that connect", "plain", CONNECTING);
