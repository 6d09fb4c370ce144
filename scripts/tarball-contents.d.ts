export function mistakesIn(
  paths: readonly string[],
  read: (path: string) => string,
): readonly string[];
