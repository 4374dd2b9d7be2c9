import { type Actor, actorsOf, labelOf, type Sequence, type Step } from "./sequence.js";

/** The name of each actor in the diagrams. */
export const actorNames: { readonly [Name in Actor]: string } = {
  application: "Your code",
  client: "Client",
  server: "Server",
  handler: "Your server code",
};

/** Writes a sequence as mermaid text. */
export function mermaid(sequence: Sequence): string {
  const lines = ["sequenceDiagram"];
  for (const actor of actorsOf(sequence.steps)) lines.push(`  participant ${actor} as ${actorNames[actor]}`);
  const write = (step: Step, indent: string): void => {
    switch (step.kind) {
      case "frame": {
        const arrow = step.sentBy === "client" ? "client->>server" : "server->>client";
        lines.push(`${indent}${arrow}: ${escape(labelOf(step.message))}`);
        return;
      }
      case "call":
        lines.push(`${indent}${step.from}${step.answer ? "-->>" : "->>"}${step.to}: ${escape(step.label)}`);
        return;
      case "close":
        lines.push(`${indent}${step.by === "client" ? "client-xserver" : "server-xclient"}: ${escape(step.label)}`);
        return;
      case "note":
        lines.push(`${indent}note over ${step.over}: ${escape(step.label)}`);
        return;
      case "either":
        step.branches.forEach((branch, index) => {
          lines.push(`${indent}${index === 0 ? "alt" : "else"} ${escape(branch.label)}`);
          for (const inner of branch.steps) write(inner, `${indent}  `);
        });
        lines.push(`${indent}end`);
        return;
      default:
        step satisfies never;
    }
  };
  for (const step of sequence.steps) write(step, "  ");
  return lines.join("\n");
}

/** Mermaid ends a statement at a semicolon and starts a comment at %%; # begins its own escapes. */
function escape(label: string): string {
  return label.replace(/[#;%<>]/g, (char) => `#${char.charCodeAt(0)};`);
}
