import { type Client, isHoldfastError, presenceOf, documentOf } from "@holdfast/client";
import { defineProtocol, type Protocol, type Schema } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { MemoryClients } from "../support/memory-clients.js";
import { ServerHarness } from "../support/server-harness.js";
import { VirtualEnvironment } from "../support/virtual-environment.js";
import { definitionOf, type Place } from "./places.js";

/**
 * The schema is only known at run time, so the definition's types are declared here.
 */
type Untyped = {
  readonly r: { input: Schema; output: Schema; errors: { E: Schema } };
};
type AnyDefinition = {
  readonly name: string;
  readonly version: string;
  readonly parameters: Schema<object>;
  readonly requests: Untyped;
  readonly channels: { readonly c: { key: Schema<string>; events: { e: Schema }; document: Schema; presence: Schema } };
  readonly direct: { readonly e: Schema };
};

/**
 * Sends a value through a real client and a real server, in memory, in one place of a protocol.
 * Returns the last value that arrives.
 */
export async function travel(place: Place, schema: Schema, value: unknown): Promise<unknown> {
  const protocol = defineProtocol(definitionOf(place, schema)) as unknown as Protocol<AnyDefinition>;
  const environment = new VirtualEnvironment();
  let key: unknown;
  const server = createServer(protocol, {
    environment,
    authenticate: ({ token }) => ({ userId: token }),
    authorize: (join) => {
      ({ key } = join);
      return true;
    },
  });
  let input: unknown;
  server.handle("r", (context) => {
    input = context.input;
    if (place === "error") throw context.error("E", value);
    return place === "output" ? value : undefined;
  });
  const world = new ServerHarness(server, environment);
  const net = new MemoryClients(() => world, environment.random);
  const faults: unknown[] = [];
  const connect = (name: string, parameters?: object): Client<AnyDefinition> => {
    const { clock } = environment;
    const client = net.clientOf(protocol, name, clock, { parameters } as object);
    client.onError((error) => void faults.push(error));
    return client;
  };
  const parameters = place === "parameters" ? { p: value } : undefined;
  const client = connect("ada", parameters);
  const handle = place === "key" ? client.channel("c", value as string) : client.channel("c", undefined as never);
  const served = () => server.channel("c", (place === "key" ? value : undefined) as never);
  await world.settle();

  const arrived: unknown[] = [];
  const arrive = (data: unknown): void => void arrived.push(data);
  switch (place) {
    case "input": {
      const asked = client.request("r", value);
      await world.settle();
      await asked;
      arrive(input);
      break;
    }
    case "output": {
      const asked = client.request("r", undefined);
      await world.settle();
      arrive(await asked);
      break;
    }
    case "error": {
      const asked = client.request("r", undefined).catch((error: unknown) => {
        if (!isHoldfastError(error) || error.code !== "E") throw error;
        arrive(error.data);
      });
      await world.settle();
      await asked;
      break;
    }
    case "event":
      handle.on("e", arrive);
      await world.settle();
      await served().publish("e", value);
      break;
    case "direct":
      client.direct.on("e", arrive);
      await server.user("token-ada").send("e", value);
      break;
    case "presence": {
      const seen = presenceOf(connect("bob").channel("c", undefined as never));
      seen.subscribe(({ users }) => users.forEach(({ data }) => arrive(data)));
      presenceOf(handle).set(value);
      break;
    }
    case "document": {
      const document = documentOf(handle);
      document.subscribe(() => {});
      const setting = served().document.set(value);
      await world.settle();
      await setting;
      await world.advance(60_000);
      arrive(document.get());
      break;
    }
    case "key":
      handle.on("e", () => arrive(key));
      await world.settle();
      await served().publish("e", "a");
      break;
    case "parameters":
      arrive((server.sessions()[0]?.parameters as { p: unknown } | undefined)?.p);
      break;
  }
  await world.settle();
  await world.advance(1_000);
  client.disconnect();
  await world.settle();
  if (faults.length > 0) throw faults[0];
  if (arrived.length === 0) throw new Error("Nothing arrived.");
  return arrived.at(-1);
}
