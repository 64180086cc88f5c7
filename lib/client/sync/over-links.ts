import type { Client } from "../client.ts";
import type { Connection } from "../connection.ts";

/**
 * A plan that begins again over the next link when it loses its own, in place of a transfer that can't. What it has
 * yielded before may come again.
 *
 * @returns what the complete plan returns
 * @throws as Connection.persist()
 */
export async function* overLinks<T, R>(
  connection: Connection,
  begin: (client: Client) => AsyncGenerator<T, R>,
): AsyncGenerator<T, R> {
  let plan: { readonly steps: AsyncGenerator<T, R>; readonly client: Client } | undefined;
  try {
    for (;;) {
      const step = await connection.persist(async (client) => {
        if (plan?.client !== client) plan = { steps: begin(client), client };
        try {
          return await plan.steps.next();
        } catch (thrown) {
          plan = undefined;
          throw thrown;
        }
      });
      if (step.done) return step.value;
      yield step.value;
    }
  } finally {
    // Only to end it: nobody waits for a result.
    void plan?.steps.return(undefined as R).catch(() => {});
  }
}
