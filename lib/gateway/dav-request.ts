import { SaxesParser } from "saxes";
import { StreamError } from "../errors.ts";

/** Bodies of WebDAV requests. Source: RFC 4918, sections 9.1, 9.2, 14 and 17. */

/** The most bytes of such a body. */
export const MAX_DAV_BYTES = 16 * 1024;
/** The most properties that a request may name: the answer repeats each for every entry. */
export const MAX_PROPERTIES = 64;
/** The most characters of a property's name and namespace: the answer repeats both for every entry. */
export const MAX_NAME_CHARS = 256;
const MAX_DEPTH = 16;

export const DAV = "DAV:";

/** Name of a property. */
export interface PropertyName {
  readonly namespace: string;
  readonly name: string;
}

/** The properties that a PROPFIND asks for. */
export type Asked = "all" | "names" | readonly PropertyName[];

/**
 * Read the body of a PROPFIND; without one, it asks for all properties. A document type is refused before it has any
 * effect: there are no entities but XML's own five, and nothing is fetched.
 *
 * @throws StreamError BAD_PARAMS
 */
export function readPropfind(text: string): Asked {
  if (text.trim() === "") return "all";
  const { root, children, properties } = readBody(text);
  if (root !== "propfind") throw new StreamError("BAD_PARAMS", "The body of PROPFIND must be a propfind.");
  if (children.has("prop")) return properties;
  if (children.has("propname")) return "names";
  if (children.has("allprop")) return "all";
  throw new StreamError("BAD_PARAMS", "A propfind needs prop, propname or allprop.");
}

/** The properties that a PROPPATCH would set or remove. @throws StreamError BAD_PARAMS */
export function readProppatch(text: string): readonly PropertyName[] {
  const { root, properties } = readBody(text);
  if (root === "propertyupdate" && properties.length > 0) return properties;
  throw new StreamError("BAD_PARAMS", "The body of PROPPATCH must be a propertyupdate.");
}

interface Body {
  /** The name of the root element if it is in DAV:, otherwise "". */
  readonly root: string;
  readonly children: ReadonlySet<string>;
  /** All properties in a prop element. */
  readonly properties: readonly PropertyName[];
}

function readBody(text: string): Body {
  const parser = new SaxesParser({ xmlns: true });
  const open: string[] = [];
  const children = new Set<string>();
  const properties: PropertyName[] = [];
  let root = "";
  const fail = (reason: string): never => {
    throw new StreamError("BAD_PARAMS", `The body is not XML that this server accepts: ${reason}.`);
  };
  parser.on("error", (error) => fail(error.message.replace(/^undefined:/, "").slice(0, 200)));
  parser.on("doctype", () => fail("it has a document type"));
  parser.on("opentag", ({ uri, local }) => {
    if (open.length >= MAX_DEPTH) fail("it is too deep");
    const name = uri === DAV ? local : "";
    if (open.length === 0) root = name;
    if (open.length === 1) children.add(name);
    // Inside a property is its value, which may be anything.
    if (open.at(-1) === "prop" && open.indexOf("prop") === open.length - 1) {
      if (properties.length === MAX_PROPERTIES) fail(`it names more than ${MAX_PROPERTIES} properties`);
      if (uri.length + local.length > MAX_NAME_CHARS)
        fail(`it names a property with more than ${MAX_NAME_CHARS} characters`);
      properties.push({ namespace: uri, name: local });
    }
    open.push(name);
  });
  parser.on("closetag", () => open.pop());
  parser.write(text).close();
  return { root, children, properties };
}
