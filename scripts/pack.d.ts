/** A tarball, and what is in it. */
export interface Packed {
  readonly version: string;
  readonly tarball: string;
  readonly size: number;
  readonly unpacked: number;
  readonly paths: readonly string[];
}

export function runTool(
  workspace: string,
  command: string,
  args: readonly string[],
  folder?: string,
): string;

export function publishedPackages(workspace: string): {
  readonly path: string;
  readonly manifest: { readonly name: string; readonly version: string };
}[];

export function packAll(workspace: string, destination: string): Map<string, Packed>;
