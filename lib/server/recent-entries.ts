import { LRUCache } from "lru-cache";

/**
 * A map of at most `max` entries: the least recently used make room. It grows with its entries; lru-cache's own `max`
 * would allocate everything at once.
 */
export function recentEntries<Value extends object>(max: number): LRUCache<string, Value> {
  return new LRUCache<string, Value>({ maxSize: max, sizeCalculation: () => 1 });
}
