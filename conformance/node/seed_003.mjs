// Unread badges of the fourth requirement document: room and total change in one step, the database fills what is cold.

import { eq, range } from './harness.mjs';
import { connectedPool, optimistic } from './optimistic.mjs';

class UnreadCounts {
  constructor(client, pool, database) {
    Object.assign(this, { client, pool, database });
  }

  // A room called `total` has a field of its own.
  key = (user) => `user:${user}:unread_counts`;
  field = (room) => `room:${room}`;

  async increment(user, room) {
    const key = this.key(user);
    return (await this.client.multi().hIncrBy(key, this.field(room), 1).hIncrBy(key, 'total', 1).exec())[1];
  }

  /// Takes away at most what is there; `count` of Infinity is reading the whole room.
  async read(user, room, count = Infinity) {
    const key = this.key(user);
    const replies = await optimistic(this.pool, key, async (client) => {
      const unread = Number((await client.hGet(key, this.field(room))) ?? 0);
      const read = Math.min(unread, count);
      const change = client.multi();
      if (read === unread) change.hDel(key, this.field(room));
      else change.hIncrBy(key, this.field(room), -read);
      return change.hIncrBy(key, 'total', -read);
    });
    return replies[1];
  }

  /// What is cached, 0 included, or else what the database says.
  async total(user) {
    const cached = await this.client.hGet(this.key(user), 'total');
    return cached === null ? this.sync(user) : Number(cached);
  }

  async sync(user) {
    const rooms = this.database(user);
    const total = Object.values(rooms).reduce((sum, unread) => sum + unread, 0);
    const fields = Object.entries(rooms).map(([room, unread]) => [this.field(room), `${unread}`]);
    await this.client.multi().del(this.key(user)).hSet(this.key(user), [['total', `${total}`], ...fields].flat()).exec();
    return total;
  }
}

async function badges(client) {
  const pool = await connectedPool();
  let asked = 0;
  const counts = new UnreadCounts(client, pool, () => {
    asked += 1;
    return { room_123: 5, room_456: 2, total: 1 };
  });
  eq(await counts.total('u1'), 8);
  eq(await counts.total('u1'), 8);
  eq(asked, 1);
  eq(await counts.increment('u1', 'room_123'), 9);
  eq(await counts.increment('u1', 'total'), 10);
  eq(await counts.read('u1', 'room_123', 4), 6);
  eq(await counts.read('u1', 'room_123', 40), 4);
  eq(await counts.read('u1', 'room_456'), 2);
  eq(await counts.read('u1', 'total'), 0);
  eq(await counts.total('u1'), 0);
  eq(await client.hGetAll('user:u1:unread_counts'), { total: '0' });
  eq(asked, 1);
  pool.destroy();
}

async function badgesUnderConcurrency(client, connect) {
  const pool = await connectedPool();
  const others = await Promise.all(range(4).map(() => connect()));
  const counts = others.map((other) => new UnreadCounts(other, pool, () => ({})));
  await Promise.all(range(400).map((i) => counts[i % 4].increment('u1', `room_${i % 10}`)));
  await Promise.all(range(20).map((i) => counts[i % 4].read('u1', `room_${i % 5}`)));
  const { total, ...rooms } = await client.hGetAll('user:u1:unread_counts');
  eq(total, '200');
  eq(rooms, Object.fromEntries(range(5).map((i) => [`room:room_${i + 5}`, '40'])));
  await Promise.all(range(400).flatMap((i) => [counts[0].increment('u1', 'busy'), i % 20 ? [] : counts[1].read('u1', 'busy')]).flat());
  const after = await client.hGetAll('user:u1:unread_counts');
  const sum = Object.entries(after).reduce((all, [field, unread]) => all + (field === 'total' ? 0 : Number(unread)), 0);
  eq(Number(after.total), sum);
  others.forEach((other) => other.destroy());
  pool.destroy();
}

export const families = [badges, badgesUnderConcurrency];
