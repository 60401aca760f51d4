// Sessions of express-session in connect-redis, through a web server and as the store's own interface.

import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { promisify } from 'node:util';
import { eq, range } from './harness.mjs';

/// A site that counts visits; resolves to its base address and a function that closes it.
async function site(store) {
  const app = express();
  app.use(session({ store, secret: 'of no value', resave: false, saveUninitialized: false, cookie: { maxAge: 60_000 } }));
  app.get('/visit', (request, response) => {
    request.session.visits = (request.session.visits ?? 0) + 1;
    request.session.name = '김하나';
    response.json({ visits: request.session.visits, id: request.sessionID });
  });
  app.get('/login', (request, response, next) => {
    request.session.regenerate((error) => (error ? next(error) : response.json({ id: request.sessionID })));
  });
  app.get('/logout', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.json({})));
  });
  const listening = await new Promise((resolve) => {
    const one = app.listen(0, '127.0.0.1', () => resolve(one));
  });
  return [`http://127.0.0.1:${listening.address().port}`, () => listening.close()];
}

/// A browser with a cookie.
function browser(base) {
  let cookie = '';
  return async (path) => {
    const response = await fetch(base + path, { headers: { cookie } });
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    return response.json();
  };
}

async function visits(client) {
  const store = new RedisStore({ client, prefix: 'shop:' });
  const [base, close] = await site(store);
  const [one, other] = [browser(base), browser(base)];
  eq([(await one('/visit')).visits, (await one('/visit')).visits, (await other('/visit')).visits], [1, 2, 1]);
  const { id } = await one('/visit');
  const kept = JSON.parse(await client.get(`shop:${id}`));
  eq([kept.visits, kept.name], [3, '김하나']);
  eq([59, 60].includes(await client.ttl(`shop:${id}`)), true);
  const login = await one('/login');
  eq(login.id === id, false);
  eq(await client.exists(`shop:${id}`), 0);
  eq((await one('/visit')).visits, 1);
  await one('/logout');
  eq((await one('/visit')).visits, 1);
  eq((await other('/visit')).visits, 2);
  close();
}

async function storeInterface(client) {
  const store = new RedisStore({ client, ttl: 100, scanCount: 50 });
  const call = (name, ...args) => promisify(store[name].bind(store))(...args);
  for (const i of range(500)) await call('set', `id${i}`, { cookie: {}, user: i });
  eq((await call('get', 'id7')).user, 7);
  eq(await call('get', 'none'), null);
  eq(await client.ttl('sess:id7'), 100);
  await client.expire('sess:id7', 10);
  await call('touch', 'id7', { cookie: {} });
  eq(await client.ttl('sess:id7'), 100);
  eq(await call('length'), 500);
  eq((await call('ids')).sort(), range(500).map((i) => `id${i}`).sort());
  eq((await call('all')).length, 500);
  await call('destroy', 'id7');
  eq(await call('length'), 499);
  await call('clear');
  eq(await call('length'), 0);
}

/// The families over connect-redis; each gets a node-redis client.
export const families = [visits, storeInterface];
