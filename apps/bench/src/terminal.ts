import process from "node:process";

/** Where a run tells how far it is: one line that is written over on a terminal, a line each anywhere else. */
export interface Terminal {
  /** What is going on; of interest only while it lasts. */
  status(text: string): void;
  /** What is to stay. */
  say(text: string): void;
}

export function createTerminal(stream: NodeJS.WriteStream = process.stdout): Terminal {
  const clear = stream.isTTY ? "\r\x1b[K" : "";
  return {
    status(text) {
      const line = text.slice(0, (stream.columns || 100) - 1);
      stream.write(stream.isTTY ? clear + line : `${text}\n`);
    },
    say: (text) => void stream.write(`${clear}${text}\n`),
  };
}
