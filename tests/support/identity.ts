import { type Identity, openIdentity } from "../../lib/daemon/identity.ts";
import { TempFolder } from "./temp-folder.ts";

let made: Promise<Identity> | undefined;

/** An identity shared by all tests of a file, since making one takes milliseconds. */
export function testIdentity(): Promise<Identity> {
  made ??= (async () => {
    using folder = new TempFolder();
    return await openIdentity(folder.join("identity.pem"));
  })();
  return made;
}
