import { list } from "./answers.js";
import type { Commands } from "./commands.js";
import type { TopicKeys } from "./keys.js";
import { append } from "./scripts.js";
import type { SendGroup, TopicCall } from "./topic-queues.js";

/** A publication that Redis stores. */
export interface Append {
  readonly keys: TopicKeys;
  /**
   * The Redis key of the idempotency key. Without an idempotency key, any key of the topic: the
   * script needs one key for each publication.
   */
  readonly key: string;
  /** The arguments, in the order of the script `append`. */
  readonly args: readonly (string | number)[];
}

/** A publication that is announced and not stored. */
export interface Announcement {
  readonly channel: string;
  readonly text: string;
}

/**
 * Sends a group of publications in one script. Redis answers each publication, or refuses the whole
 * script.
 */
export function appendGroup(commands: Commands): SendGroup<Append> {
  return async (client, calls) => {
    const { meta, log, table } = calls[0]!.call.keys;
    const keys = [meta, log, table, ...calls.map(({ call }) => call.key)];
    const args = calls.flatMap(({ call }) => call.args);
    const answers = list(await commands.evaluate(client, append, keys, args));
    for (const [index, call] of calls.entries()) call.answer(answers[index]);
  };
}

/**
 * Sends a group of announcements, one command each. If the slot moves between two of the commands,
 * Redis refuses the later commands.
 */
export function announceGroup(commands: Commands): SendGroup<Announcement> {
  return async (client, calls) => {
    const send = async (one: TopicCall<Announcement>): Promise<void> =>
      one.answer(await commands.say(client, one.call.channel, one.call.text));
    const answers = await Promise.allSettled(calls.map(send));
    const refused = answers.find((answer) => answer.status === "rejected");
    if (refused) throw refused.reason;
  };
}
