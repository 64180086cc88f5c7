import { baseName } from "../path.ts";
import type { StorageEntry } from "../storage/storage.ts";
import { type Asked, DAV, type PropertyName } from "./dav-request.ts";
import { tagOf } from "./entity-tag.ts";
import { contentType } from "./file-fields.ts";
import { formatHttpDate } from "./http-date.ts";
import { encodePath, FILES } from "./request-target.ts";
import { escapeXml } from "./xml-text.ts";

/** Answers of WebDAV. Source: RFC 4918, sections 14 and 15; RFC 4331 (quota). */

const APACHE = "http://apache.org/dav/props/";

/** The facts in an answer that are not those of the entry. */
export interface Surroundings {
  /** Bytes that can still be stored; Infinity: not known. */
  readonly freeBytes: number;
  /** Milliseconds since 1970. */
  now(): number;
}

/** A property's value as XML; undefined: the entry has none. */
type Value = (entry: StorageEntry, around: Surroundings) => string | undefined;

const ofFile =
  (value: (entry: StorageEntry, around: Surroundings) => string): Value =>
  (entry, around) =>
    entry.kind === "file" ? value(entry, around) : undefined;

const PROPERTIES: readonly (PropertyName & { readonly value: Value; readonly isCostly?: true })[] = [
  { namespace: DAV, name: "resourcetype", value: ({ kind }) => (kind === "folder" ? "<D:collection/>" : "") },
  { namespace: DAV, name: "displayname", value: ({ path }) => escapeXml(baseName(path) || FILES) },
  { namespace: DAV, name: "getcontentlength", value: ofFile(({ size }) => `${size}`) },
  { namespace: DAV, name: "getcontenttype", value: ofFile(({ path }) => escapeXml(contentType(path))) },
  { namespace: DAV, name: "getetag", value: ofFile((entry, { now }) => escapeXml(tagOf(entry, now()))) },
  { namespace: DAV, name: "getlastmodified", value: ({ modifiedAt }) => formatHttpDate(modifiedAt) },
  { namespace: APACHE, name: "executable", value: ofFile(({ executable }) => (executable ? "T" : "F")) },
  {
    namespace: DAV,
    name: "quota-available-bytes",
    isCostly: true,
    value: ({ kind }, { freeBytes }) =>
      kind === "folder" && Number.isFinite(freeBytes) ? `${Math.max(0, Math.floor(freeBytes))}` : undefined,
  },
];

export const MULTISTATUS_HEAD = `<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">\n`;
export const MULTISTATUS_END = "</D:multistatus>\n";

/** The answer's part for an entry. Everything that all entries share is made once: a folder may have a million. */
export function propfindResponses(asked: Asked, around: Surroundings): (entry: StorageEntry) => string {
  if (typeof asked !== "string") {
    const wanted = asked.map((name) => ({
      property: PROPERTIES.find((known) => isSame(known, name)),
      absent: element(name, ""),
    }));
    return (entry) => {
      const found: string[] = [];
      const missing: string[] = [];
      for (const { property, absent } of wanted) {
        const value = property?.value(entry, around);
        if (property === undefined || value === undefined) missing.push(absent);
        else found.push(element(property, value));
      }
      return propfindResponse(entry, found, missing);
    };
  }
  return (entry) => {
    const found: string[] = [];
    for (const property of PROPERTIES) {
      // RFC 4331, 2: not part of allprop.
      const value = property.isCostly && asked === "all" ? undefined : property.value(entry, around);
      if (value !== undefined) found.push(element(property, asked === "names" ? "" : value));
    }
    return propfindResponse(entry, found, []);
  };
}

function propfindResponse(entry: StorageEntry, found: readonly string[], missing: readonly string[]): string {
  return response(
    entry,
    propstat(found, "200 OK", found.length > 0 || missing.length === 0) + propstat(missing, "404 Not Found"),
  );
}

/** No property can be set. */
export function proppatchResponse(entry: StorageEntry, names: readonly PropertyName[]): string {
  const all = names.map((name) => element(name, ""));
  return response(entry, propstat(all, "403 Forbidden"));
}

function response({ path, kind }: StorageEntry, stats: string): string {
  const href = `/${FILES}/${encodePath(path)}${kind === "folder" && path !== "" ? "/" : ""}`;
  return `<D:response><D:href>${href}</D:href>${stats}</D:response>\n`;
}

function propstat(elements: readonly string[], status: string, isNeeded = elements.length > 0): string {
  if (!isNeeded) return "";
  return `<D:propstat><D:prop>${elements.join("")}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat>`;
}

/** Names come from an XML parser: they are well formed. */
function element({ namespace, name }: PropertyName, value: string): string {
  if (namespace === DAV) return value === "" ? `<D:${name}/>` : `<D:${name}>${value}</D:${name}>`;
  const start = namespace === "" ? `${name} xmlns=""` : `p:${name} xmlns:p="${escapeXml(namespace)}"`;
  return value === "" ? `<${start}/>` : `<${start}>${value}</${namespace === "" ? name : `p:${name}`}>`;
}

function isSame(one: PropertyName, other: PropertyName): boolean {
  return one.name === other.name && one.namespace === other.namespace;
}
