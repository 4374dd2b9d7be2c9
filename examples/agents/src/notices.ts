import type { Server } from "@holdfast/server";
import type { FleetListener } from "./fleet.js";
import type { Instances } from "./instances.js";
import type { Programs } from "./programs.js";
import type { Agent, agents, Exit, Notification } from "./protocol.js";
import type { Publisher } from "./publisher.js";
import type { RedisInstancesListener } from "./redis-instances.js";

export interface AnnouncerParts {
  server: Server<typeof agents.definition>;
  publisher: Publisher;
  programs: Programs;
  /** A function, because the instances need the fleet, and the fleet needs this listener. */
  instances: () => Instances;
}

/**
 * Publishes the events of the fleet: each event on agent-updates, and the important events also as
 * notifications for people.
 */
export function announcer(parts: AnnouncerParts): { fleet: FleetListener; others: RedisInstancesListener } {
  const { server, publisher, programs, instances } = parts;
  const updates = server.channel("agent-updates");
  const notifications = server.channel("notifications");

  const notify = (level: Notification["level"], agent: Agent, text: string) => {
    const title = programs.list.find(({ id }) => id === agent.program)?.title ?? agent.program;
    // Published without a retry, because the page receives the same fact on agent-updates.
    notifications.publish("posted", { level, title, text, at: new Date() }).catch(() => {});
  };
  /** The number of status changes, so that each change has a different idempotency key. */
  let changes = 0;
  const save = () => instances().save();

  const fleet: FleetListener = {
    started(agent) {
      publisher.push(`started:${agent.id}`, async (options) => {
        await save();
        await updates.publish("started", { agent }, options);
        notify("info", agent, `Started as process ${agent.pid}`);
      });
    },
    statusChanged({ id, status }) {
      publisher.push(`status:${id}:${++changes}`, async (options) => {
        await save();
        await updates.publish("statusChanged", { agentId: id, status }, options);
      });
    },
    output({ id }, line) {
      const publish = async (options: { idempotencyKey: string }) => {
        await instances().keepLine(id, line);
        await updates.publish("output", { agentId: id, line }, options);
      };
      // A dropped line is still in the log, which the page can load.
      publisher.push(`line:${id}:${line.number}`, publish, { mayBeLeftOut: true });
    },
    exited(agent, exit) {
      const { id, status } = agent;
      publisher.push(`exited:${id}`, async (options) => {
        await save();
        await updates.publish("exited", { agentId: id, status, exit }, options);
        if (status === "finished") notify("success", agent, "Finished its work");
        else if (status === "stopped") notify("info", agent, `Stopped (${how(exit)})`);
        else notify("error", agent, `Failed (${how(exit)})`);
      });
    },
    removed({ id }) {
      publisher.push(`removed:${id}`, async (options) => {
        await save();
        await instances().forgetLines(id);
        await updates.publish("removed", { agentId: id }, options);
      });
    },
  };

  const others: RedisInstancesListener = {
    lost(agent, key) {
      const { id, status, exit } = agent;
      if (!exit) return;
      publisher.push(key, async (options) => {
        const { duplicate } = await updates.publish("exited", { agentId: id, status, exit }, options);
        // If another instance published this first, that instance also sends the notification.
        if (!duplicate) notify("error", agent, `Lost with its instance ${agent.instance}`);
      });
    },
    found: (agent, key) => publisher.push(key, (options) => updates.publish("started", { agent }, options)),
    removed: (agentId, key) => publisher.push(key, (options) => updates.publish("removed", { agentId }, options)),
    capacityChanged: (maximum, key) =>
      publisher.push(key, (options) => updates.publish("capacityChanged", { maximum }, options)),
  };
  return { fleet, others };
}

function how({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : signal;
}
