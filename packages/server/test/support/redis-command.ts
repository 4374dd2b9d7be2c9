import { connect } from "node:net";

/**
 * Sends one command on a connection of its own and resolves with the answer as text. The
 * function uses no client library, because the tests also test the client library.
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
