import { createHash } from "node:crypto";

/** What Redis runs in one go. It is known there by the hash of its text. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

/**
 * The first line makes Redis look before it begins whether it may write: a script that finds out at its third command has done two.
 * Only what appends needs memory that counts; knowing where one stands must go on when there is none.
 */
const WRITES = "#!lua";
const WRITES_LITTLE = "#!lua flags=allow-oom";
const READS = "#!lua flags=no-writes";

function script(...parts: string[]): Script {
  const text = parts.map((part) => part.trim()).join("\n");
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

/**
 * Where a topic stands. One that is not known begins an epoch, and what an older one left behind goes: its log and table belong to
 * positions that nobody can continue. `keep` renews how long meta and table live; meta must not go before the table does.
 */
const stand = `
local function stand(meta, log, tbl, newEpoch)
  local known = redis.call('HMGET', meta, 'epoch', 'offset', 'id', 'ttl', 'tableTtl')
  if known[1] then
    return known[1], tonumber(known[2]) or 0, known[3] or '', tonumber(known[4]) or 0, tonumber(known[5]) or 0
  end
  redis.call('DEL', meta, log, tbl)
  redis.call('HSET', meta, 'epoch', newEpoch, 'offset', 0, 'id', '')
  return newEpoch, 0, '', 0, 0
end
local function keep(meta, tbl, ttl, tableTtl)
  if ttl > 0 then redis.call('PEXPIRE', meta, ttl) end
  if tableTtl > 0 then redis.call('PEXPIRE', tbl, tableTtl) end
end`;

/**
 * KEYS meta, log, table, key. ARGV 1 id, 2 body, 3 entry (JSON, or empty), 4 epoch should there be none, 5 size of the log (0: none),
 * 6 its ttl, 7 what to do to the table ('', 'set', 'del'), 8 field, 9 value, 10 ttl of the table, 11 '1' with a key,
 * 12 expected offset ('' for any), 13 expected id, 14 channel, 15 command that announces, 16 ttl of meta, 17 ttl of the key,
 * 18 '1' with a document, 19 its text, 20 id of the publication that has brought the one before it ('' for none), 21 its ttl. The
 * document is part of meta: it lives as long, and belongs to the same epoch.
 * Answers outcome, epoch, offset, id, previous.
 */
export const append = script(
  WRITES,
  stand,
  `
local meta, log, tbl, key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, body, entry = ARGV[1], ARGV[2], ARGV[3]
if ARGV[11] == '1' then
  local first = redis.call('HMGET', key, 'epoch', 'offset', 'id')
  if first[1] then return { 'duplicate', first[1], first[2], first[3] } end
end
local epoch, offset, last, ttl, tableTtl = stand(meta, log, tbl, ARGV[4])
ttl = math.max(ttl, tonumber(ARGV[16]))
local change, field = ARGV[7], ARGV[8]
if change ~= '' then
  tableTtl = tonumber(ARGV[10])
  ttl = math.max(ttl, tableTtl)
end
if ARGV[12] ~= '' and (tonumber(ARGV[12]) ~= offset or ARGV[13] ~= last) then
  keep(meta, tbl, ttl, tableTtl)
  return { 'conflict', epoch, offset, last }
end
if ARGV[18] == '1' and (redis.call('HGET', meta, 'documentId') or '') ~= ARGV[20] then
  keep(meta, tbl, ttl, tableTtl)
  return { 'conflict', epoch, offset, last }
end
if ARGV[18] == '1' then ttl = math.max(ttl, tonumber(ARGV[21])) end
local previous = false
if change ~= '' then
  previous = redis.call('HGET', tbl, field)
  if change == 'del' and not previous then
    keep(meta, tbl, ttl, tableTtl)
    return { 'unchanged', epoch, offset, last }
  end
end
offset = offset + 1
local size = tonumber(ARGV[5])
if size > 0 then
  local add = { 'XADD', log, 'MAXLEN', '=', size, string.format('%.0f-0', offset), 'i', id, 'p', last, 'e', entry, 'b', body }
  -- A log that is ahead of its meta was not written by us, or half of the topic was deleted by hand: it cannot be continued.
  local added = redis.pcall(unpack(add))
  if type(added) == 'table' and added.err then
    if not string.find(added.err, 'WRONGTYPE') and not string.find(added.err, 'equal or smaller') then return added end
    redis.call('DEL', log)
    redis.call(unpack(add))
  end
  redis.call('PEXPIRE', log, ARGV[6])
end
if change == 'set' then redis.call('HSET', tbl, field, ARGV[9]) end
if change == 'del' then redis.call('HDEL', tbl, field) end
redis.call('HSET', meta, 'offset', string.format('%.0f', offset), 'id', id, 'ttl', ttl, 'tableTtl', tableTtl)
if ARGV[18] == '1' then redis.call('HSET', meta, 'document', ARGV[19], 'documentId', id) end
keep(meta, tbl, ttl, tableTtl)
if ARGV[11] == '1' then
  redis.call('HSET', key, 'epoch', epoch, 'offset', string.format('%.0f', offset), 'id', id)
  redis.call('PEXPIRE', key, ARGV[17])
end
redis.call(ARGV[15], ARGV[14],
  string.format('%.0f:%d:%d:%d:', offset, #id, #last, #entry) .. id .. last .. entry .. body)
return { 'appended', epoch, offset, id, previous }`,
);

/**
 * KEYS meta, log, table. ARGV 1 epoch should there be none, 2 ttl of a topic not heard of before, 3 offset to read the log from
 * ('' for not at all), 4 how many of the newest at most, 5 '1' with the table, 6 '1' with the document, 7 the id of the one that is
 * known. Answers epoch, offset, id, log (newest first), table, id and text of the document; 1 instead of the text that is known.
 */
export const read = script(
  WRITES_LITTLE,
  stand,
  `
local meta, log, tbl = KEYS[1], KEYS[2], KEYS[3]
local epoch, offset, id, ttl, tableTtl = stand(meta, log, tbl, ARGV[1])
if ttl == 0 then
  ttl = tonumber(ARGV[2])
  redis.call('HSET', meta, 'ttl', ttl)
end
keep(meta, tbl, ttl, tableTtl)
local events, entries, document = {}, {}, {}
if ARGV[3] ~= '' then events = redis.call('XREVRANGE', log, '+', ARGV[3] .. '-0', 'COUNT', ARGV[4]) end
if ARGV[5] == '1' then entries = redis.call('HGETALL', tbl) end
if ARGV[6] == '1' then
  local broughtBy = redis.call('HGET', meta, 'documentId')
  -- An empty name is none: it is what those give who expect, or know, none.
  if broughtBy and broughtBy ~= '' then
    document = { broughtBy, broughtBy == ARGV[7] and 1 or redis.call('HGET', meta, 'document') }
  end
end
return { epoch, offset, id, events, entries, document }`,
);

/** KEYS meta, table of the first topic, of the second and so on. Answers { epoch, offset, id } or nothing for each. */
export const positions = script(
  WRITES_LITTLE,
  stand,
  `
local found = {}
for index = 1, #KEYS, 2 do
  -- One topic that something else has written over must not keep the others from being answered.
  local known = redis.pcall('HMGET', KEYS[index], 'epoch', 'offset', 'id', 'ttl', 'tableTtl')
  if known[1] then
    keep(KEYS[index], KEYS[index + 1], tonumber(known[4]) or 0, tonumber(known[5]) or 0)
    found[#found + 1] = { known[1], tonumber(known[2]) or 0, known[3] or '' }
  else
    found[#found + 1] = {}
  end
end
return found`,
);

/**
 * KEYS the leases (sorted by when they run out), the numbers of the beats. ARGV 1 instance, 2 milliseconds of a lease, 3 number of
 * this beat. Answers the number of the instance's last beat ('' when it is not known), the instances, and those of them whose
 * lease has run out. The time is that of Redis: no two machines have the same.
 */
export const beat = script(
  WRITES_LITTLE,
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('HGET', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
return { before or '', redis.call('ZRANGE', KEYS[1], 0, -1), redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE') }`,
);

/** KEYS as above. ARGV instances. Takes out those whose lease has (still) run out, and answers which that were. */
export const bury = script(
  WRITES_LITTLE,
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local gone = {}
for _, instance in ipairs(ARGV) do
  local until_ = redis.call('ZSCORE', KEYS[1], instance)
  if until_ and tonumber(until_) <= now then
    redis.call('ZREM', KEYS[1], instance)
    redis.call('HDEL', KEYS[2], instance)
    gone[#gone + 1] = instance
  end
end
return gone`,
);

/** KEYS as above. ARGV 1 instance. It leaves. */
export const leave = script(
  WRITES_LITTLE,
  `
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])`,
);

/** KEYS as above. Everyone who has not left and was not taken out. */
export const members = script(READS, `return redis.call('ZRANGE', KEYS[1], 0, -1)`);
