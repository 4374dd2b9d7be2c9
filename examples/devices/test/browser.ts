import { type Client, createClient, type Status } from "@holdfast/client";
import { onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { COOKIE } from "../src/login.js";
import { devices, type Overview } from "../src/protocol.js";

export type DevicesClient = Client<typeof devices.definition>;

export const soon = { timeout: 5_000, interval: 10 };

/**
 * A browser as the server sees it: a cookie, and tabs that connect with the cookie.
 */
export class Browser {
  readonly #origin: string;
  /** `name=value`, as a browser sends it. Undefined before the login and after the logout. */
  cookie: string | undefined;

  constructor(port: number) {
    this.#origin = `http://localhost:${port}`;
  }

  /**
   * Sends a request of the page with the browser's cookie. Stores or forgets the cookie as the
   * response demands.
   */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), ...(this.cookie && { cookie: this.cookie }) };
    const response = await fetch(this.#origin + path, { ...init, headers });
    const set = response.headers.get("set-cookie");
    if (set?.startsWith(`${COOKIE}=;`)) this.cookie = undefined;
    else if (set) this.cookie = set.split(";", 1)[0];
    return response;
  }

  post(path: string, body?: unknown): Promise<Response> {
    const json = { "Content-Type": "application/json" };
    return this.fetch(path, {
      method: "POST",
      ...(body !== undefined && { headers: json, body: JSON.stringify(body) }),
    });
  }

  logIn(user = "ada", password = "holdfast"): Promise<Response> {
    return this.post("/login", { user, password });
  }

  /** The user who is logged in with this browser's cookie, or null. */
  async user(): Promise<unknown> {
    const { user } = (await (await this.fetch("/session")).json()) as { user: unknown };
    return user;
  }

  /** Opens a plain WebSocket with the current cookie. */
  socket(query = "", protocols: string[] = [], headers: Record<string, string> = {}): WebSocket {
    const url = `${this.#origin.replace("http", "ws")}/ws${query}`;
    const sent = { origin: this.#origin, ...(this.cookie && { cookie: this.cookie }), ...headers };
    const socket = new WebSocket(url, protocols, { headers: sent });
    socket.on("error", () => {});
    onTestFinished(() => socket.terminate());
    return socket;
  }

  /** Opens a tab: a client with its own device id that records its events. */
  tab(id: string, name = id): Tab {
    const browser = this;
    // A browser sends the current cookie and the origin of the page with every connection.
    class BrowserSocket extends WebSocket {
      constructor(url: string, protocols?: string | string[]) {
        const headers = { origin: browser.#origin, ...(browser.cookie && { cookie: browser.cookie }) };
        super(url, protocols ?? [], { headers });
      }
    }
    const client = createClient(devices, {
      url: `${this.#origin}/ws`,
      deviceId: id,
      parameters: { deviceName: name, deviceKind: "computer" },
      WebSocket: BrowserSocket,
      retry: { minMs: 20, maxMs: 100 },
      // After a restart of the server, clients spread their first retries over 5 s. This value
      // makes each client retry early.
      environment: { random: () => 0.02 },
    });
    onTestFinished(() => client.disconnect());
    return new Tab(client);
  }
}

export class Tab {
  readonly client: DevicesClient;
  readonly statuses: Status[] = [];
  /** The received direct events, in order. */
  readonly heard: { event: string; data: unknown }[] = [];
  overview: Overview | undefined;

  constructor(client: DevicesClient) {
    this.client = client;
    client.status.subscribe((status) => void this.statuses.push(status));
    client.direct.on("*", (command) => void this.heard.push(command));
  }

  /** Resolves when the tab has joined the user's channel and loaded the list. */
  async ready(userId = "ada"): Promise<this> {
    const channel = this.client.channel("devices", userId);
    const show = (overview: Overview): void => {
      if (overview.revision < (this.overview?.revision ?? 0)) return;
      this.overview = overview;
    };
    channel.on("changed", show);
    let loading: Promise<void> | undefined;
    // The tab requests the list after it has joined, as the page does, because changes before the
    // subscription do not reach the tab.
    channel.status.subscribe(({ name }) => {
      if (name !== "subscribed") return;
      this.overview = undefined;
      loading = this.client.request("device.list").then(show);
      loading.catch(() => {});
    });
    await channel.join();
    await loading;
    return this;
  }

  /** The names of the listed devices. Names of offline devices are in brackets. */
  get names(): string[] {
    return (this.overview?.devices ?? []).map(({ name, online }) => (online ? name : `(${name})`));
  }

  async sees(...names: string[]): Promise<void> {
    const wanted = names.toSorted().join(", ");
    await vi.waitFor(() => {
      const seen = this.names.toSorted().join(", ");
      if (seen !== wanted) throw new Error(`sees ${seen}, not ${wanted}`);
    }, soon);
  }

  async becomes(name: Status["name"]): Promise<Status> {
    return vi.waitFor(() => {
      const status = this.client.status.get();
      if (status.name !== name) throw new Error(`is ${status.name}, not ${name}`);
      return status;
    }, soon);
  }
}

/** Opens a browser and logs in. */
export async function loggedIn(port: number, user = "ada"): Promise<Browser> {
  const browser = new Browser(port);
  const { status } = await browser.logIn(user);
  if (status !== 200) throw new Error(`the login was answered with ${status}`);
  return browser;
}
