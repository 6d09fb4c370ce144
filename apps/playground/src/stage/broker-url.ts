/** A broker that runs already, by its URL. */
export interface BrokerUrl {
  readonly host: string;
  readonly port: number;
  /** The same URL with another address, such as that of a link, in the place of the broker's. */
  through(address: string): string;
}

/**
 * @param variable the environment variable that it was given in, for the error
 * @throws Error if it does not name one server of that kind: the way to it could not be broken.
 */
export function parseBrokerUrl(
  value: string,
  variable: string,
  { protocol, port }: { readonly protocol: "redis:" | "nats:"; readonly port: number },
): BrokerUrl {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const { hostname = "" } = url ?? {};
  if (url?.protocol !== protocol || hostname === "" || hostname.includes(",")) {
    throw new Error(
      `[playground] ${variable} does not name one server, unencrypted: ` +
        `write it as ${protocol}//user:password@host:${port}; others are for your own server, not for this page`,
    );
  }
  return {
    // An IPv6 address without its brackets.
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(url.port || port),
    through(address) {
      const copy = new URL(url);
      copy.host = address;
      return copy.href;
    },
  };
}
