export function missingChangesets(workspace: string, since: string): readonly string[];
