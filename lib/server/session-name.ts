/** The name of a session: Client01, Client02, … Client100. An id, and so a name, is never reused. */
export function sessionName(id: number): string {
  return `Client${String(id).padStart(2, "0")}`;
}
