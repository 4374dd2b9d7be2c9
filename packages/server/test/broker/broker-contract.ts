import { afterAll, afterEach, beforeAll, describe } from "vitest";
import type { Broker, BrokerInstance } from "../../src/broker/broker.js";
import type { ServerEnvironment } from "../../src/environment.js";
import { type Participant, participate } from "../support/broker-participant.js";
import { anyTextContract } from "./contract/any-text.js";
import { conditionContract } from "./contract/conditions.js";
import { deliveryContract } from "./contract/delivery.js";
import { documentContract } from "./contract/documents.js";
import { membershipContract } from "./contract/membership.js";
import { readingContract } from "./contract/reading.js";
import { tableContract } from "./contract/tables.js";

/** The parts of a broker implementation that the contract needs. */
export interface ContractSetUp {
  /** A broker that all instances of one test join. Called once for each test. */
  broker(): Broker;
  /** Advances the time of the store by `ms`. Default: the test waits in real time. */
  pass?(ms: number): Promise<void>;
  /** Makes the store lose a topic, by deletion or by expiry. */
  forget(topic: string): Promise<unknown>;
  /** Clock, timers and random numbers of the instances. Default: the real ones. */
  readonly environment?: ServerEnvironment;
  /** Releases the resources after the last test. */
  end?(): Promise<void>;
}

/** The parts of the set-up that the chapters of the contract use. */
export interface ContractParts {
  /**
   * Joins an instance to the broker of the running test. The instance leaves when the test ends.
   */
  join(partial?: Partial<BrokerInstance>): Participant;
  /** Advances the time of the store by `ms`. */
  pass(ms: number): Promise<void>;
  /** Makes the store lose a topic. */
  forget(topic: string): Promise<unknown>;
}

/**
 * Tests the behaviour that every broker must have: the memory broker, Redis and a Redis cluster run
 * the same tests. The chapters in `contract/` are grouped by subject.
 */
export function brokerContract(name: string, setUp: () => ContractSetUp | Promise<ContractSetUp>): void {
  describe(`${name}: the broker contract`, () => {
    let given: ContractSetUp;
    let broker: Broker | undefined;
    const joined: Participant[] = [];

    beforeAll(async () => {
      given = await setUp();
    });
    afterEach(async () => {
      broker = undefined;
      await Promise.all(joined.splice(0).map(({ link }) => link.close()));
    });
    afterAll(async () => given?.end?.());

    const join = (partial: Partial<BrokerInstance> = {}): Participant => {
      broker ??= given.broker();
      const participant = participate(broker, {
        ...(given.environment && { environment: given.environment }),
        ...partial,
      });
      joined.push(participant);
      return participant;
    };
    const pass = (ms: number): Promise<void> =>
      given.pass ? given.pass(ms) : new Promise((resolve) => setTimeout(resolve, ms));

    const parts: ContractParts = { join, pass, forget: (topic) => given.forget(topic) };
    deliveryContract(parts);
    readingContract(parts);
    tableContract(parts);
    conditionContract(parts);
    membershipContract(parts);
    anyTextContract(parts);
    documentContract(parts);
  });
}
