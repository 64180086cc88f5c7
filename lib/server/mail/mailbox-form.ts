import type { DatabaseForm } from "../state-database.ts";

/** The database of kept messages, and its statements. `owner` is the name of the token that a message is kept for. */
export const FORM: DatabaseForm = {
  what: "mailbox",
  version: 1,
  // A sender is told that its message is kept.
  synchronous: "FULL",
  schema: `
    CREATE TABLE IF NOT EXISTS messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      owner TEXT NOT NULL,
      ownerMadeAt INTEGER NOT NULL,
      author TEXT NOT NULL,
      message TEXT NOT NULL,
      sentAt INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      isPushed INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS owned ON messages (owner, id);
    CREATE INDEX IF NOT EXISTS authored ON messages (author, owner, bytes);
    CREATE INDEX IF NOT EXISTS sent ON messages (sentAt);
  `,
};

export const SQL = {
  insert: `INSERT INTO messages (owner, ownerMadeAt, author, message, sentAt, bytes, isPushed)
    VALUES ($owner, $ownerMadeAt, $author, $message, $sentAt, $bytes, $isPushed)`,
  owned: "SELECT count(*) AS messages FROM messages WHERE owner = ?",
  authored: "SELECT owner, count(*) AS messages, sum(bytes) AS bytes FROM messages WHERE author = ? GROUP BY owner",
  next: `SELECT id, message, sentAt, isPushed FROM messages
    WHERE owner = ? AND ownerMadeAt = ? AND sentAt > ? ORDER BY id LIMIT ?`,
  push: "UPDATE messages SET isPushed = 1 WHERE id = ?",
  remove: "DELETE FROM messages WHERE id = ? RETURNING bytes",
  clear: "DELETE FROM messages WHERE owner = ? RETURNING bytes",
  disown: "DELETE FROM messages WHERE owner = ? AND ownerMadeAt = ? RETURNING bytes",
  expire: "DELETE FROM messages WHERE sentAt <= ? RETURNING owner, bytes",
  owners: `SELECT owner, ownerMadeAt, count(*) AS messages, sum(bytes) AS bytes, min(sentAt) AS oldestAt
    FROM messages GROUP BY owner, ownerMadeAt ORDER BY owner`,
  pages: `SELECT page_count AS pages, freelist_count AS free, page_size AS pageBytes
    FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
  total: "SELECT count(*) AS messages, ifnull(sum(bytes), 0) AS bytes FROM messages",
} as const;
