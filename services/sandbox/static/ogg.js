// A recording of Chromium (Opus in WebM) as Telegram's apps send voices: the same Opus packets in Ogg. Nothing is encoded anew.

const MASTERS = new Set([0x18538067, 0x1f43b675, 0x1654ae6b, 0xae, 0xa0]); // Segment, Cluster, Tracks, TrackEntry, BlockGroup
const BLOCKS = new Set([0xa3, 0xa1]);
const CODEC_PRIVATE = 0x63a2;
const RATE = 48_000;
const PACKETS_A_PAGE = 40;

export async function toOgg(blob) {
  const { head, packets } = unpack(new Uint8Array(await blob.arrayBuffer()));
  if (!head || !packets.length) throw new Error('there is no Opus in this recording');
  return new Blob(pages(head, packets), { type: 'audio/ogg' });
}

function unpack(bytes) {
  const found = { head: null, packets: [] };
  let at = 0;
  while (at < bytes.length - 2) {
    const [id, afterId] = vint(bytes, at, true);
    const [length, start] = vint(bytes, afterId, false);
    at = start;
    if (MASTERS.has(id)) continue; // step inside: of a stream the sizes of masters are not known
    if (id === CODEC_PRIVATE) found.head = bytes.slice(start, start + length);
    if (BLOCKS.has(id)) found.packets.push(bytes.slice(start + 4, start + length)); // past track, time and flags
    at += length;
  }
  return found;
}

/** EBML's numbers: the leading zeros of the first byte say how many bytes follow; an id keeps the marker. */
function vint(bytes, at, keepMarker) {
  const length = Math.clz32(bytes[at]) - 23;
  if (length > 8) throw new Error('this is no WebM');
  let value = keepMarker ? bytes[at] : bytes[at] & (0xff >> length);
  for (let n = 1; n < length; n += 1) value = value * 256 + (bytes[at + n] ?? 0);
  return [value, at + length];
}

function pages(head, packets) {
  const serial = crypto.getRandomValues(new Uint32Array(1))[0];
  const words = new TextEncoder();
  const tags = new Uint8Array([...words.encode('OpusTags'), 7, 0, 0, 0, ...words.encode('sandbox'), 0, 0, 0, 0]);
  const made = [page({ serial, number: 0, flags: 2, granule: 0, packets: [head] }), page({ serial, number: 1, flags: 0, granule: 0, packets: [tags] })];
  let granule = 0;
  for (let n = 0; n < packets.length; n += PACKETS_A_PAGE) {
    const some = packets.slice(n, n + PACKETS_A_PAGE);
    granule += some.reduce((sum, packet) => sum + samples(packet), 0);
    made.push(page({ serial, number: made.length, flags: n + PACKETS_A_PAGE >= packets.length ? 4 : 0, granule, packets: some }));
  }
  return made;
}

/** How long a packet sounds, from its first byte (RFC 6716, 3.1). */
function samples(packet) {
  const config = packet[0] >> 3;
  const ms = config < 12 ? [10, 20, 40, 60][config & 3] : config < 16 ? [10, 20][config & 1] : [2.5, 5, 10, 20][config & 3];
  const frames = [1, 2, 2, (packet[1] ?? 0) & 63][packet[0] & 3];
  return (RATE / 1000) * ms * frames;
}

function page({ serial, number, flags, granule, packets }) {
  const lacing = packets.flatMap((packet) => [...Array(Math.floor(packet.length / 255)).fill(255), packet.length % 255]);
  const size = packets.reduce((sum, packet) => sum + packet.length, 0);
  const bytes = new Uint8Array(27 + lacing.length + size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x4f, 0x67, 0x67, 0x53, 0, flags]); // OggS
  view.setBigInt64(6, BigInt(granule), true);
  view.setUint32(14, serial, true);
  view.setUint32(18, number, true);
  bytes[26] = lacing.length;
  bytes.set(lacing, 27);
  let at = 27 + lacing.length;
  for (const packet of packets) (bytes.set(packet, at), (at += packet.length));
  view.setUint32(22, checksum(bytes), true);
  return bytes;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n << 24;
  for (let bit = 0; bit < 8; bit += 1) value = (value << 1) ^ (value & 0x80000000 ? 0x04c11db7 : 0);
  return value >>> 0;
});

function checksum(bytes) {
  let value = 0;
  for (const byte of bytes) value = ((value << 8) ^ TABLE[((value >>> 24) ^ byte) & 0xff]) >>> 0;
  return value;
}
