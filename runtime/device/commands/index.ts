import type { Command } from "../table.ts";
import { arrayCommands } from "./arrays.ts";
import { boxCommands } from "./boxes.ts";
import { captureCommands } from "./captures.ts";
import { conditionCommands } from "./conditions.ts";
import { contextCommands } from "./contexts.ts";
import { copyCommands } from "./copies.ts";
import { eventCommands } from "./events.ts";
import { functionCommands } from "./functions.ts";
import { graphExecCommands } from "./graph-execs.ts";
import { graphCommands } from "./graphs.ts";
import { launchCommands } from "./launches.ts";
import { memoryCommands } from "./memory.ts";
import { moduleCommands } from "./modules.ts";
import { peerCommands } from "./peers.ts";
import { poolCommands } from "./pools.ts";
import { queryCommands } from "./queries.ts";
import { streamAttributeCommands } from "./stream-attributes.ts";
import { streamCommands } from "./streams.ts";

/** All commands by number; an array, because the number is looked up on every request. */
export const COMMANDS: readonly (Command | undefined)[] = merge();

function merge(): (Command | undefined)[] {
  const table: (Command | undefined)[] = [];
  const families = [
    contextCommands,
    queryCommands,
    memoryCommands,
    copyCommands,
    boxCommands,
    arrayCommands,
    moduleCommands,
    launchCommands,
    streamCommands,
    streamAttributeCommands,
    eventCommands,
    functionCommands,
    peerCommands,
    poolCommands,
    graphCommands,
    graphExecCommands,
    conditionCommands,
    captureCommands,
  ];
  for (const family of families) {
    for (const [number, command] of family) table[number] = command;
  }
  return table;
}
