import { list } from "./answers.js";
import type { Commands } from "./commands.js";
import type { TopicKeys } from "./keys.js";
import { append } from "./scripts.js";
import type { SendGroup, TopicCall } from "./topic-queues.js";

/** A publication that is kept. */
export interface Append {
  readonly keys: TopicKeys;
  /** Of the idempotency key; of something that is there where it has none. */
  readonly key: string;
  /** As the script names them. */
  readonly args: readonly (string | number)[];
}

/** Something that is announced and not kept. */
export interface Announcement {
  readonly channel: string;
  readonly text: string;
}

/** One script for all of them: Redis executes it as a whole, or refuses it as a whole. */
export function appendGroup(commands: Commands): SendGroup<Append> {
  return async (client, calls) => {
    const { meta, log, table } = calls[0]!.call.keys;
    const keys = [meta, log, table, ...calls.map(({ call }) => call.key)];
    const args = calls.flatMap(({ call }) => call.args);
    const answers = list(await commands.evaluate(client, append, keys, args));
    for (const [index, call] of calls.entries()) call.answer(answers[index]);
  };
}

/** One command each. If the slot moves between two of them, those behind the move are refused. */
export function announceGroup(commands: Commands): SendGroup<Announcement> {
  return async (client, calls) => {
    const send = async (one: TopicCall<Announcement>): Promise<void> =>
      one.answer(await commands.say(client, one.call.channel, one.call.text));
    const answers = await Promise.allSettled(calls.map(send));
    const refused = answers.find((answer) => answer.status === "rejected");
    if (refused) throw refused.reason;
  };
}
