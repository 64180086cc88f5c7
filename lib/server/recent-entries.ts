import { LRUCache } from "lru-cache";

/**
 * A map of at most `max` entries: the least recently used make room. Its room grows with them. With lru-cache's own `max`
 * all of it would be taken at once.
 */
export function recentEntries<Value extends object>(max: number): LRUCache<string, Value> {
  return new LRUCache<string, Value>({ maxSize: max, sizeCalculation: () => 1 });
}
