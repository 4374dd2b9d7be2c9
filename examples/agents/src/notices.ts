import type { Server } from "@holdfast/server";
import type { FleetListener } from "./fleet.js";
import type { Programs } from "./programs.js";
import type { Agent, agents, Notification } from "./protocol.js";

/** Publishes what happens in the fleet: each fact on agent-updates, what a person should hear also as a notification. */
export function announcer(server: Server<typeof agents.definition>, programs: Programs): FleetListener {
  const updates = server.channel("agent-updates");
  const notifications = server.channel("notifications");

  const notify = (level: Notification["level"], agent: Agent, text: string) => {
    const title = programs.list.find(({ id }) => id === agent.program)?.title ?? agent.program;
    void notifications.publish("posted", { level, title, text, at: new Date() });
  };

  return {
    started(agent) {
      void updates.publish("started", { agent });
      notify("info", agent, `Started as process ${agent.pid}`);
    },
    statusChanged: ({ id, status }) => void updates.publish("statusChanged", { agentId: id, status }),
    output: ({ id }, line) => void updates.publish("output", { agentId: id, line }),
    exited(agent, exit) {
      const { id, status } = agent;
      void updates.publish("exited", { agentId: id, status, exit });
      const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
      if (status === "finished") notify("success", agent, "Finished its work");
      else if (status === "stopped") notify("info", agent, `Stopped (${how})`);
      else notify("error", agent, `Failed (${how})`);
    },
    removed: ({ id }) => void updates.publish("removed", { agentId: id }),
  };
}
