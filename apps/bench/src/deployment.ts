import process from "node:process";
import type { Broker } from "./broker.ts";
import { protocols } from "./client/client-protocol.ts";
import type { ClientProtocol } from "./client/client-protocol.ts";
import { concurrently } from "./concurrently.ts";
import type { Contender } from "./contender.ts";
import { startInstance } from "./instance.ts";
import type { Instance } from "./instance.ts";
import type { Usage } from "./servers/instance-control.ts";

/** A contender's instances over one broker, behind no load balancer: a client is sent to the one it is meant for. */
export interface Deployment {
  readonly contender: Contender;
  readonly broker: Broker;
  readonly protocol: ClientProtocol;
  readonly instances: readonly Instance[];
  /** Two of the instances, where there may be more. */
  readonly pair: readonly [Instance, Instance];
  /** A document that no other measurement has used. */
  document(): string;
  usages(): Promise<Usage[]>;
  /** The CPU time that all instances have used, in microseconds. */
  cpu(): Promise<number>;
  /** How many messages the broker was given; by the instances' own count where the broker does not tell. */
  published(): Promise<number>;
  /** Starts instances until there are so many. */
  grow(count: number): Promise<void>;
  close(): Promise<void>;
}

/** How many instances start at once: more would wait for the processor until their brokers gave them up. */
const STARTING = 4;

let documents = 0;

export async function deploy(
  contender: Contender,
  node: string,
  broker: Broker,
): Promise<Deployment> {
  const instances: Instance[] = [];

  async function close(): Promise<void> {
    await Promise.all(instances.map((instance) => instance.close()));
  }

  async function grow(count: number): Promise<void> {
    const wanted = Array.from({ length: count - instances.length });
    await concurrently(wanted, STARTING, async () => {
      instances.push(await startInstance(node, contender.server, broker.url));
    });
  }

  const usages = (): Promise<Usage[]> => Promise.all(instances.map((instance) => instance.usage()));

  try {
    await grow(2);
  } catch (error) {
    await close();
    throw error;
  }
  const [first, second] = instances;
  if (first === undefined || second === undefined) throw new Error("[bench] two are to be there");

  return {
    contender,
    broker,
    protocol: protocols[contender.protocol],
    instances,
    pair: [first, second],
    document: () => `bench-${process.pid}-${documents++}`,
    usages,
    cpu: async () => (await usages()).reduce((sum, { cpu }) => sum + cpu, 0),
    async published() {
      const told = await broker.published();
      if (told !== undefined) return told;
      return (await usages()).reduce((sum, { published }) => sum + (published?.messages ?? 0), 0);
    },
    grow,
    close,
  };
}
