import { createServer, type Identity } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { agents, authenticate, basicServer } from "./support/basic-server.js";
import { ServerHarness } from "./support/server-harness.js";
import { VirtualEnvironment } from "./support/virtual-environment.js";

const subscribe = { type: "subscribe", correlation_id: "s", data: { channels: ["updates"] } };
const auth = (token: string) => ({ type: "auth", correlation_id: "a", data: { token } });

describe("the auth message on an open connection", () => {
  test("[HS26] session.identity is the object that authenticate returned, with its methods", async () => {
    class Member {
      readonly userId = "u1";
      readonly #plan = "paid";
      may(): boolean {
        return this.#plan === "paid";
      }
    }
    const { harness, server } = basicServer({ authenticate: () => new Member() });
    const peer = await harness.connect();
    await peer.send({ ...auth("t"), data: { token: "t", device_id: "d1" } });
    const [session] = server.sessions();
    expect(session!.identity.may()).toBe(true);
    expect(session!.deviceId).toBe("d1");
    await peer.send(auth("t"));
    expect(session!.deviceId).toBe("d1");
    expect(peer.last("auth_response").data).toEqual({ success: true, user_id: "u1", device_id: "d1" });
  });

  test("[HS27] refreshes take effect in the order they were sent, however long authenticate takes", async () => {
    const answers = new Map<string, () => void>();
    const { harness, server } = basicServer({
      authenticate: ({ token }) =>
        new Promise<Identity>((resolve) => answers.set(token, () => resolve({ userId: "u1", claims: token }))),
    });
    const peer = await harness.connect();
    const answer = async (token: string) => {
      answers.get(token)?.();
      await harness.settle();
    };
    await peer.send(auth("first"));
    await answer("first");
    await peer.send(auth("second"), auth("third"));
    for (const token of ["third", "second", "third"]) await answer(token);
    expect(server.sessions()[0]!.identity?.claims).toBe("third");
    expect(peer.of("auth_response")).toHaveLength(3);
  });

  test("[HS28] any number of refreshes is accepted if each is sent after the answer to the previous one", async () => {
    const { harness } = basicServer({ authenticate });
    const peer = await harness.connect();
    for (let count = 0; count < 20; count++) await peer.send(auth("token-u1"));
    expect(peer.of("auth_response")).toHaveLength(20);
    expect(peer.closed).toBeUndefined();
  });

  test("[HS28] more than eight refreshes without an answer close the connection with 4429", async () => {
    let asked = 0;
    const { harness, environment } = basicServer({
      authenticate: ({ token }) => (asked++ === 0 ? { userId: token } : new Promise<Identity>(() => {})),
    });
    const peer = await harness.connect();
    await peer.send(auth("u1"), ...Array.from({ length: 8 }, () => auth("u1")));
    expect(peer.closed).toBeUndefined();
    await peer.send(auth("u1"));
    expect(peer.closed).toEqual({ code: 4429, reason: '{"retryAfterMs":1000}' });
    await harness.advance(120_000); // by then the session has also expired
    expect(asked).toBe(2);
    expect(environment.timers).toBe(0);
  });

  test("[HS11] a refresh replaces the identity and keeps the subscriptions", async () => {
    let plan = "free";
    const { harness, server } = basicServer({
      authenticate: ({ token }) => ({ ...authenticate({ token, deviceId: undefined }), claims: plan }),
    });
    const peer = await harness.connect();
    await peer.send(auth("token-u1"), subscribe);
    plan = "paid";
    await peer.send({ ...auth("token-u1"), correlation_id: "again" });
    expect(peer.last("auth_response")).toMatchObject({ correlation_id: "again", data: { success: true } });
    expect(peer.of("connected")).toHaveLength(1);
    expect(server.sessions()[0]?.identity.claims).toBe("paid");
    expect(server.channel("updates").subscribers).toBe(1);
  });

  test("[HS12] a refresh with the token of another user closes the connection with 4401", async () => {
    const { harness } = basicServer({ authenticate });
    const peer = await harness.connect();
    await peer.send(auth("token-u1"), auth("token-u2"));
    expect(peer.last("auth_response").data).toMatchObject({
      success: false,
      error: { code: "UNAUTHENTICATED" },
    });
    expect(peer.closed?.code).toBe(4401);
  });

  test("[HS13] an expired credential closes the connection with 4401, after 25 s in which a newer one may arrive", async () => {
    const environment = new VirtualEnvironment();
    const expiresAt = environment.now() + 60_000;
    const server = createServer(agents, { environment, authenticate: () => ({ userId: "u1", expiresAt }) });
    const harness = new ServerHarness(server, environment);
    const peer = await harness.connect();
    await peer.send(auth("t"));
    expect(peer.last("auth_response").data).toMatchObject({ expires_at: expiresAt });
    for (let second = 0; second < 84; second += 12) {
      await harness.advance(12_000);
      await peer.send({ type: "pong" });
    }
    expect(peer.closed).toBeUndefined();
    await harness.advance(2_000);
    expect(peer.closed?.code).toBe(4401);
  });
});
