import type { AppendOptions, Broker, BrokerInstance, BrokerLink, Publication } from "../../src/broker/broker.js";
import { nodeEnvironment } from "../../src/environment.js";
import { silentLogger } from "../../src/observe/logger.js";
import { until } from "./until.js";

/** An instance that joined a broker, with every callback that the broker made. */
export interface Participant {
  readonly id: string;
  readonly link: BrokerLink;
  readonly heard: { readonly topic: string; readonly publication: Publication }[];
  readonly gone: string[];
  doubts: number;
  forgotten: number;
  /** The publications received on a topic. */
  on(topic: string): Publication[];
}

export function participate(broker: Broker, partial: Partial<BrokerInstance> = {}): Participant {
  const environment = partial.environment ?? nodeEnvironment;
  const heard: Participant["heard"] = [];
  const gone: string[] = [];
  const id = partial.id ?? environment.newId();
  const link = broker.join({
    id,
    protocol: "contract",
    environment,
    logger: silentLogger,
    receive: (topic, publication) => void heard.push({ topic, publication }),
    onDoubt: () => void participant.doubts++,
    onGone: (instances) => void gone.push(...instances),
    onForgotten: () => void participant.forgotten++,
    ...partial,
  });
  const participant: Participant = {
    id,
    link,
    heard,
    gone,
    doubts: 0,
    forgotten: 0,
    on: (topic) => heard.filter((one) => one.topic === topic).map(({ publication }) => publication),
  };
  return participant;
}

let lastId = 0;
export const newId = (): string => `id-${++lastId}`;
export const log = { size: 100, ttlMs: 60_000 };
export const set = (field: string, value: string): AppendOptions["table"] => ({
  entry: { field, value },
  ttlMs: 60_000,
});
export const remove = (field: string): AppendOptions["table"] => ({ entry: { field }, ttlMs: 60_000 });
export const docOf = (text: string, expected: string): AppendOptions["document"] => ({
  text,
  expected,
  ttlMs: 60_000,
});
export const all = { after: 0, most: 1_000_000 };

export const readDocument = (link: BrokerLink, topic = "board") =>
  link.read(topic, { log: all, document: true, ttlMs: 60_000 });

/** Whether the participant can publish. */
export const works = ({ link }: Participant): Promise<boolean> =>
  link.publish("works", newId(), "", { log }).then(
    () => true,
    () => false,
  );

/**
 * Publishes until the participant receives a publication. Publications that are lost do not matter.
 */
export async function hears(one: Participant, topic: string): Promise<void> {
  const before = one.on(topic).length;
  await until(async () => {
    await one.link.publish(topic, newId(), "heard?", { log }).catch(() => {});
    return one.on(topic).length > before;
  });
}
