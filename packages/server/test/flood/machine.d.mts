export declare function goes(order: "first" | "last"): void;
export declare function waitedMs(pid: number): number;
