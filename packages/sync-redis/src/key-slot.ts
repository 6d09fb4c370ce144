/** How many slots every Redis Cluster has. */
export const SLOTS = 16384;

const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

const utf8 = new TextEncoder();

/**
 * The slot of a key or shard channel: CRC16 (XMODEM) of its bytes, or of what stands in its first `{…}` if that is not
 * empty (redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec, "Hash tags").
 */
export function keySlot(name: string): number {
  const open = name.indexOf("{");
  const close = open === -1 ? -1 : name.indexOf("}", open + 1);
  const hashed = close > open + 1 ? name.slice(open + 1, close) : name;
  let crc = 0;
  for (const byte of utf8.encode(hashed)) {
    crc = ((crc << 8) & 0xffff) ^ (CRC16[((crc >> 8) ^ byte) & 0xff] ?? 0);
  }
  return crc % SLOTS;
}
