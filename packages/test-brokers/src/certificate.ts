import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { BrokerError } from "./broker-error.ts";

/** A certificate for `localhost` that signs itself, valid for a day, in a folder of its own. */
export interface Certificate {
  readonly certificate: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  remove(): Promise<void>;
}

/** @throws BrokerError if there is no `openssl` command. */
export async function createCertificate(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), "test-brokers-certificate-"));
  const certificateFile = join(folder, "certificate.pem");
  const keyFile = join(folder, "key.pem");
  try {
    await promisify(execFile)("openssl", [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      keyFile,
      "-out",
      certificateFile,
      "-days",
      "1",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost,IP:127.0.0.1",
    ]);
  } catch (cause) {
    throw new BrokerError("openssl could not make a certificate", "apt-get install openssl", cause);
  }
  return {
    certificate: await readFile(certificateFile, "utf8"),
    certificateFile,
    keyFile,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
