import { createClient, presenceOf } from "@holdfast/client";
import { rooms } from "./room-protocol.js";

export interface Page {
  showUsers: (names: string[], count: number) => void;
  showCall: (event: string, from: string) => void;
}

export function enterRoom(url: string, token: string, room: string, page: Page) {
  const client = createClient(rooms, { url, token });
  const channel = client.channel("room", room);
  const presence = presenceOf(channel);

  presence.set({}); // This user is listed from now on. The server fills in the name.
  presence.subscribe(({ users, count }) => {
    const names = users.map(({ data }) => (data.typing ? `${data.name} is typing` : data.name));
    page.showUsers(names, count);
  });
  // `call.*` stands for all direct events whose names begin with `call.`.
  client.direct.on("call.*", ({ event, data }) => page.showCall(event, data.from));

  return {
    client,
    setTyping: (typing: boolean) => presence.set({ typing }),
    leave: () => channel.leave(),
  };
}
