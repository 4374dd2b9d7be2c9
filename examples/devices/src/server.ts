import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { DeviceList } from "./device-list.js";
import { createHttp } from "./http.js";
import { Logins } from "./login.js";
import { Playback } from "./playback.js";
import { createRealtime, type Realtime, type RealtimeOptions } from "./realtime.js";
import { signOuts } from "./sign-out.js";
import { steerDevices } from "./steering.js";

export interface ExampleOptions extends RealtimeOptions {
  port: number;
  /** @default "127.0.0.1" */
  host?: string;
  /** The folder with the built page. */
  pageFolder: string;
  /** The folder where logins survive a restart. */
  dataFolder: string;
  /** How long a device may take to follow a command. @default 2000 */
  ackTimeoutMs?: number;
}

export interface Example {
  readonly port: number;
  readonly server: Realtime;
  close(): Promise<void>;
}

export async function startExample(options: ExampleOptions): Promise<Example> {
  const { port, host = "127.0.0.1", pageFolder, dataFolder, ...rest } = options;
  const logins = await Logins.open({ dataFolder });
  const server = createRealtime(logins, rest);
  const playback = new Playback();
  const list = new DeviceList(server, playback);
  steerDevices({ server, list, playback, ...rest });
  const { loggedOut } = signOuts({ server, list, logins });

  const http = createHttp({ pageFolder, logins, ended: loggedOut });
  server.attach(http, { path: "/ws" });
  http.listen(port, host);
  await once(http, "listening");

  return {
    port: (http.address() as AddressInfo).port,
    server,
    async close() {
      await server.close();
      http.close();
      http.closeAllConnections();
    },
  };
}
