/**
 * The calls that handlers of `queue.cleared`, `queue.*`, `queue.track.*` and `*` receive, added in
 * this order, when `queue.cleared` (1), `queue.track.added` ("a") and `queued` (2) arrive.
 */
export const heardInGroups = [
  1,
  ["queue.*", { event: "queue.cleared", data: 1 }],
  ["*", { event: "queue.cleared", data: 1 }],
  ["queue.*", { event: "queue.track.added", data: "a" }],
  ["queue.track.*", { event: "queue.track.added", data: "a" }],
  ["*", { event: "queue.track.added", data: "a" }],
  ["*", { event: "queued", data: 2 }],
];
