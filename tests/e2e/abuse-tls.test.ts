import { OVER_TLS } from "../support/abuse/attacks.ts";
import { enduring } from "../support/abuse/enduring.ts";

enduring("peers that mean no good", "tls", OVER_TLS);
