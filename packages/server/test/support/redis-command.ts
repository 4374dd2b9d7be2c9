import { connect } from "node:net";

/**
 * One command on a connection of its own, and its answer as text. No client library: those are part
 * of what is tested.
 */
export function redisCommand(port: number, ...words: (string | number)[]): Promise<string> {
  const parts = words.map((word) => `$${Buffer.byteLength(`${word}`)}\r\n${word}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("Redis closed the connection without an answer")));
    socket.once("data", (bytes) => {
      resolve(
        bytes
          .toString()
          .replace(/^([+:-]|\$\d+\r\n)/, "")
          .trim(),
      );
      socket.destroy();
    });
    socket.write(`*${words.length}\r\n${parts.join("")}`);
  });
}
