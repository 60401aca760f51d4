// Check and set: what a script would do in one step, as a transaction that starts over when a key was changed meanwhile.

import { WatchError, createClientPool } from 'redis';
import { host, port } from './harness.mjs';

/// A connected pool: a transaction with WATCH needs a connection of its own.
export function connectedPool(maximum = 8) {
  return createClientPool({ socket: { host, port } }, { minimum: 1, maximum }).connect();
}

/// Runs `body(client)` with these keys watched. It returns a MULTI to be executed, or anything else to leave it at that;
/// resolves to the replies of the MULTI, or to what `body` returned.
export function optimistic(pool, keys, body) {
  return pool.execute(async (client) => {
    for (;;) {
      await client.watch(keys);
      const outcome = await body(client);
      if (typeof outcome?.exec !== 'function') {
        await client.unwatch();
        return outcome;
      }
      try {
        return await outcome.exec();
      } catch (error) {
        if (!(error instanceof WatchError)) throw error;
      }
    }
  });
}
