import { describe, expect, test } from "vitest";
import { auth, sessionOf, subscribe } from "../support/identity-server.js";
import { LEASE_MS } from "../support/faulty-broker.js";
import { type InstanceOptions, startInstances } from "../support/server-instances.js";

/** An `authenticate` whose calls are answered when the test calls the functions in `answers`. */
function slowly() {
  const answers: (() => void)[] = [];
  const authenticate: InstanceOptions["authenticate"] & {} = ({ token }) =>
    new Promise((resolve) => answers.push(() => resolve({ userId: token, claims: { login: `login-${token}` } })));
  return { answers, authenticate };
}

describe("revoking access on all instances", () => {
  test("[IR1] `disconnect` ends the user's sessions on all instances, connected or waiting, and returns their number", async () => {
    const [all, a, b, c] = await startInstances(3);
    const peers = [await a!.enter("u1@one"), await b!.enter("u1@two"), await c!.enter("u1@three")];
    const other = await b!.enter("u2");
    peers[2]!.socket.drop();
    await all.settle();
    const started = all.environment.monotonic();
    expect(await a!.user("u1").disconnect({ code: 4403, reason: "banned" })).toBe(3);
    expect(all.environment.monotonic()).toBe(started);
    await all.settle();
    expect(peers.slice(0, 2).map(({ closed }) => closed)).toEqual([
      { code: 4403, reason: "banned" },
      { code: 4403, reason: "banned" },
    ]);
    expect(other.closed).toBeUndefined();
    expect(c!.server.user("u1").sessions({ away: true })).toEqual([]);
    await all.end();
    expect(all.environment.timers).toBe(0);
  });

  test("[IR1] a session can be ended or revoked from any instance, and the result says whether the session existed", async () => {
    const [all, a, b] = await startInstances(2);
    const peers = [await b!.enter("u1@one"), await b!.enter("u1@two")];
    expect(await a!.server.session(sessionOf(peers[0]!)).revoke()).toBe(true);
    expect(await a!.server.session(sessionOf(peers[1]!)).disconnect({ code: 4901, reason: "bye" })).toBe(true);
    expect(await a!.server.session("nobody").disconnect()).toBe(false);
    await all.settle();
    expect(peers.map(({ closed }) => closed?.code)).toEqual([4401, 4901]);
    // No instance resumes a session with this id.
    const again = await a!.enter("u1@one", { session_id: sessionOf(peers[0]!) });
    expect(again.last("connected").data.resumed).toBeUndefined();
  });

  test("[IR2] `disconnect` closes a connection that another instance is still authenticating", async () => {
    const { answers, authenticate } = slowly();
    const [all, a, b] = await startInstances(2, { authenticate });
    const peer = await b!.connect();
    await peer.send(auth("u1"));
    const mover = await b!.connect();
    await mover.send(auth("u2", { session_id: "s" }));
    expect(await a!.user("u1").disconnect({ code: 4403, reason: "banned" })).toBe(0);
    expect(await a!.server.session("s").revoke()).toBe(false);
    for (const answer of answers) answer();
    await all.settle();
    expect(peer.closed).toEqual({ code: 4403, reason: "banned" });
    expect(mover.closed?.code).toBe(4401);
    // A connection that is authenticated afterwards is accepted, because `authenticate` decides.
    const later = await b!.connect();
    await later.send(auth("u1"));
    answers.at(-1)!();
    await all.settle();
    expect(later.of("connected")).toHaveLength(1);
  });

  test("[IR3] `where` with claims ends only sessions whose identity has these claims, including connections that are being authenticated", async () => {
    const { answers, authenticate } = slowly();
    const two: InstanceOptions["authenticate"] & {} = ({ token }) => {
      const [userId = "", login = ""] = token.split("@");
      return login === "slow" ? authenticate({ token: userId } as never) : { userId, claims: { login, n: 1 } };
    };
    const [all, a, b] = await startInstances(2, { authenticate: two });
    const peers = [await a!.enter("u1@one"), await b!.enter("u1@one"), await b!.enter("u1@two")];
    const slow = await b!.connect();
    await slow.send(auth("u1@slow"));
    expect(
      await a!.user("u1").disconnect({ code: 4403, reason: "logged out", where: { claims: { login: "one" } } }),
    ).toBe(2);
    expect(
      await a!.user("u1").disconnect({ code: 4403, reason: "logged out", where: { claims: { login: "login-u1" } } }),
    ).toBe(0);
    answers[0]!();
    await all.settle();
    expect(peers.map(({ closed }) => closed?.code)).toEqual([4403, 4403, undefined]);
    expect(slow.closed?.code).toBe(4403);
  });

  test("[IR3] an empty `where`, or a `where` that JSON cannot hold, rejects with INVALID_OPTION and ends no session", async () => {
    const [, a] = await startInstances(1);
    const peer = await a!.enter("u1@one");
    for (const where of [
      {},
      { claims: {} },
      { claims: { login: undefined } },
      { claims: { since: new Date() } },
      { claims: Number.NaN },
      { claims: () => true },
    ])
      await expect(a!.user("u1").disconnect({ where: where as object })).rejects.toMatchObject({
        code: "INVALID_OPTION",
        field: expect.stringMatching(/^where/) as string,
      });
    expect(peer.closed).toBeUndefined();
  });

  test("[IR3] a function as `where` works with one instance and rejects with INVALID_OPTION with more", async () => {
    const [all, a] = await startInstances(1);
    const one = await a!.enter("u1@one");
    expect(await a!.user("u1").disconnect({ where: ({ deviceId }) => deviceId === "one" })).toBe(1);
    await all.settle();
    expect(one.closed?.code).toBe(4403);
    const b = all.start();
    const two = await a!.enter("u1@two");
    await expect(a!.user("u1").disconnect({ where: () => true })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      field: "where",
      remedy: expect.any(String) as string,
    });
    expect(two.closed).toBeUndefined();
    b.kill();
    await all.advance(LEASE_MS);
    expect(await a!.user("u1").disconnect({ where: () => true })).toBe(1);
  });

  test("[IR4] an instance that does not answer delays `disconnect` by 1 s at most", async () => {
    const [all, a, b, c] = await startInstances(3);
    await b!.enter("u1@two");
    b!.kill();
    await c!.enter("u1@three");
    const ended = a!.user("u1").disconnect();
    let isDone = false;
    void ended.then(() => (isDone = true));
    await all.advance(999);
    expect(isDone).toBe(false);
    await all.advance(1);
    expect(await ended).toBe(1);
  });

  test("[IR5] a lost order is recovered with the next order, or within 20 s", async () => {
    const [all, a, b] = await startInstances(2);
    const [one, two, three] = [await b!.enter("u1"), await b!.enter("u2"), await b!.enter("u3")];
    all.broker.loses = (instance, topic) => instance === b!.id && topic === "$control";
    const first = a!.user("u1").disconnect();
    await all.advance(1_000);
    expect(await first).toBe(0);
    expect(one.closed).toBeUndefined();
    all.broker.loses = () => false;
    expect(await a!.user("u2").disconnect()).toBe(1);
    await all.settle();
    expect([one, two].map(({ closed }) => closed?.code)).toEqual([4403, 4403]);
    // No announcement arrives, and no later order follows.
    all.broker.loses = (instance) => instance === b!.id;
    void a!.user("u3").disconnect();
    await all.advance(19_000);
    expect(three.closed?.code).toBe(4403);
  });

  test("[IR6] while the broker is down, `disconnect` takes effect on this instance at once and rejects", async () => {
    const [all, a, b] = await startInstances(2);
    const peers = [await a!.enter("u1@one"), await b!.enter("u1@two")];
    all.broker.isDown = true;
    const ended = a!.user("u1").disconnect();
    await expect(ended).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(a!.server.session("s").revoke()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(a!.user("u1").reauthorize()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(a!.user("u1").disconnect({ where: () => true })).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    await all.settle();
    expect(peers.map(({ closed }) => closed?.code)).toEqual([4403, undefined]);
    all.broker.comeBack();
    expect(await a!.user("u1").disconnect()).toBe(1);
    await all.settle();
    expect(peers[1]!.closed?.code).toBe(4403);
  });

  test("[IR7] if orders may be lost for good, the instance logs a warning and authorizes every subscription again", async () => {
    const allowed = new Set(["u1", "u2"]);
    const [all, a, b] = await startInstances(2, { authorize: ({ identity }) => allowed.has(identity.userId) });
    await a!.user("u9").disconnect();
    const [one, two] = [await b!.enter("u1", {}, subscribe("news")), await b!.enter("u2", {}, subscribe("news"))];
    allowed.delete("u1");
    all.broker.forget();
    await all.settle();
    await all.advance(1_000);
    expect(b!.logged).toContainEqual({ reset: "epoch" });
    expect(one.last("unsubscribed")).toMatchObject({ channel: "news", data: { code: "FORBIDDEN" } });
    expect(two.of("unsubscribed")).toEqual([]);
    expect([one, two].map(({ closed }) => closed)).toEqual([undefined, undefined]);
    // New orders are followed again.
    expect(await a!.user("u2").disconnect()).toBe(1);
  });

  test("[IR7] orders that a rolled-back store repeats are not carried out again", async () => {
    const [all, a, b] = await startInstances(2);
    await a!.user("u1").disconnect();
    const before = structuredClone(all.broker.store.topics.get("$control")!);
    await a!.user("u2").disconnect();
    const back = [await b!.enter("u1"), await b!.enter("u2")];
    all.broker.store.topics.set("$control", before);
    await all.advance(20_000);
    for (const peer of back) expect(peer.closed).toBeUndefined();
    expect(b!.logged).toContainEqual({ reset: "fork" });
    await a!.user("u3").disconnect();
    for (const peer of back) expect(peer.closed).toBeUndefined();
  });

  test("[IR8] `reauthorize` authorizes again on every instance and resolves when all instances are done", async () => {
    let isAllowed = true;
    const [all, a, b] = await startInstances(2, { authorize: ({ identity }) => isAllowed || identity.userId !== "u1" });
    const peers = [await a!.enter("u1@one", {}, subscribe("news")), await b!.enter("u1@two", {}, subscribe("news"))];
    const other = await b!.enter("u2", {}, subscribe("news"));
    isAllowed = false;
    await a!.user("u1").reauthorize();
    expect(b!.server.channel("news").subscribers).toBe(1);
    await all.settle();
    for (const peer of peers) expect(peer.last("unsubscribed").channel).toBe("news");
    expect(other.of("unsubscribed")).toEqual([]);
  });

  test("[IR5] an instance that starts after an order accepts the user, but refuses tickets that were issued before the order", async () => {
    const options: InstanceOptions = { credentials: { ticket: true } };
    const [all, a, b] = await startInstances(2, options);
    const ticket = await b!.server.issueTicket({ userId: "u1" });
    await a!.user("u1").disconnect({ code: 4403, reason: "banned" });
    await all.advance(20_000);
    const c = all.start(options);
    const peer = await c.enter("u1");
    await all.settle();
    expect(peer.closed).toBeUndefined();
    const late = await c.connect({ url: `/ws?ticket=${ticket}` });
    expect(late.closed).toEqual({ code: 4403, reason: "banned" });
  });
});

describe("a ticket", () => {
  const options: InstanceOptions = { credentials: { ticket: true } };

  test("[IT1] of one instance opens exactly one connection on another, within 30 s", async () => {
    const [all, a, b] = await startInstances(2, options);
    const ticket = await a!.server.issueTicket({
      userId: "u1",
      deviceId: "tv",
      claims: { role: "x", none: undefined },
    });
    const url = `/ws?ticket=${ticket}`;
    const peer = await b!.connect({ url });
    expect(peer.last("connected").data).toMatchObject({ user_id: "u1", device_id: "tv" });
    expect(b!.server.sessions()[0]?.identity.claims).toEqual({ role: "x" });
    for (const instance of [a!, b!]) expect(await instance.refused({ url })).toBe(401);
    const late = await a!.server.issueTicket({ userId: "u1" });
    await all.advance(30_001);
    expect(await b!.refused({ url: `/ws?ticket=${late}` })).toBe(401);
    expect(await b!.refused({ url: "/ws?ticket=invented" })).toBe(401);
    expect(await b!.refused({ url: `/ws?ticket=${encodeURIComponent("x:y")}` })).toBe(401);
  });

  test("[IT2] opens no connection after its user was disconnected, while a later ticket does", async () => {
    const [all, a, b, c] = await startInstances(3, options);
    const ticket = await a!.server.issueTicket({ userId: "u1" });
    await all.advance(10_000);
    await b!.user("u1").disconnect({ code: 4403, reason: "banned" });
    const peer = await c!.connect({ url: `/ws?ticket=${ticket}` });
    expect(peer.closed).toEqual({ code: 4403, reason: "banned" });
    expect(peer.of("connected")).toEqual([]);
    const again = await a!.server.issueTicket({ userId: "u1" });
    expect((await b!.connect({ url: `/ws?ticket=${again}` })).of("connected")).toHaveLength(1);
  });

  test("[IT3] holds only JSON values, and is refused while the broker is down or after the store has lost the orders", async () => {
    const [all, a, b] = await startInstances(2, options);
    await expect(a!.server.issueTicket({ userId: "u1", claims: new Date() })).rejects.toMatchObject({
      code: "INVALID_VALUE",
      field: "identity",
    });
    const ticket = await a!.server.issueTicket({ userId: "u1" });
    all.broker.isDown = true;
    await expect(a!.server.issueTicket({ userId: "u1" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await b!.refused({ url: `/ws?ticket=${ticket}` })).toBe(401);
    // The store has lost its orders, so it is unknown whether this user was disconnected.
    all.broker.comeBack();
    const topic = all.broker.store.topics.get(`$ticket:${ticket}`)!;
    all.broker.forget();
    await all.settle();
    all.broker.store.topics.set(`$ticket:${ticket}`, topic);
    expect(await b!.refused({ url: `/ws?ticket=${ticket}` })).toBe(401);
  });
});
