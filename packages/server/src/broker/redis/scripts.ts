import { createHash } from "node:crypto";

/** What Redis runs in one go. It is known there by the hash of its text. */
export interface LuaScript {
  readonly text: string;
  readonly sha: string;
}

/**
 * The first line makes Redis look before it begins whether it may write: a script that finds out at
 * its third command has done two. Only what appends needs memory that counts; knowing where one
 * stands must go on when there is none.
 */
const WRITES = "#!lua";
const WRITES_LITTLE = "#!lua flags=allow-oom";
const READS = "#!lua flags=no-writes";

function script(...parts: string[]): LuaScript {
  const text = parts.map((part) => part.trim()).join("\n");
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

/**
 * Where a topic stands. One that is not known begins an epoch, and what an older one left behind
 * goes: its log and table belong to positions that nobody can continue. `keep` renews how long meta
 * and table live; meta must not go before the table does.
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

/** Arguments of one publication. */
export const APPEND_ARGUMENTS = 21;

/**
 * Publications of one topic, one after the other. KEYS meta, log, table, and a key for each
 * publication. ARGV for each publication 1 id, 2 body, 3 entry (JSON, or empty), 4 epoch should
 * there be none, 5 size of the log (0: none), 6 its ttl, 7 what to do to the table ('', 'set',
 * 'del'), 8 field, 9 value, 10 ttl of the table, 11 '1' with a key, 12 expected offset ('' for
 * any), 13 expected id, 14 channel, 15 command that announces, 16 ttl of meta, 17 ttl of the key,
 * 18 '1' with a document, 19 its text, 20 id of the publication that has brought the one before it
 * ('' for none), 21 its ttl. The document is part of meta: it lives as long, and belongs to the
 * same epoch. Answers outcome, epoch, offset, id, previous for each publication, or the error that
 * has kept it from being stored: one that fails does not keep those behind it from being stored.
 */
export const append = script(
  WRITES,
  stand,
  `
local meta, log, tbl = KEYS[1], KEYS[2], KEYS[3]
local function append(key, from)
  local function arg(index) return ARGV[from + index] end
  local id, body, entry = arg(1), arg(2), arg(3)
  if arg(11) == '1' then
    local first = redis.call('HMGET', key, 'epoch', 'offset', 'id')
    if first[1] then return { 'duplicate', first[1], first[2], first[3] } end
  end
  local epoch, offset, last, ttl, tableTtl = stand(meta, log, tbl, arg(4))
  ttl = math.max(ttl, tonumber(arg(16)))
  local change, field = arg(7), arg(8)
  if change ~= '' then
    tableTtl = tonumber(arg(10))
    ttl = math.max(ttl, tableTtl)
  end
  if arg(12) ~= '' and (tonumber(arg(12)) ~= offset or arg(13) ~= last) then
    keep(meta, tbl, ttl, tableTtl)
    return { 'conflict', epoch, offset, last }
  end
  local isDocument = arg(18) == '1'
  if isDocument and (redis.call('HGET', meta, 'documentId') or '') ~= arg(20) then
    keep(meta, tbl, ttl, tableTtl)
    return { 'conflict', epoch, offset, last }
  end
  if isDocument then ttl = math.max(ttl, tonumber(arg(21))) end
  local previous = false
  if change ~= '' then
    previous = redis.call('HGET', tbl, field)
    if change == 'del' and not previous then
      keep(meta, tbl, ttl, tableTtl)
      return { 'unchanged', epoch, offset, last }
    end
  end
  offset = offset + 1
  local size = tonumber(arg(5))
  if size > 0 then
    local add = { 'XADD', log, 'MAXLEN', '=', size, string.format('%.0f-0', offset), 'i', id, 'p', last, 'e', entry, 'b', body }
    -- A log that is ahead of its meta was not written by us, or half of the topic was deleted by hand: it cannot be continued.
    local added = redis.pcall(unpack(add))
    if type(added) == 'table' and added.err then
      if not string.find(added.err, 'WRONGTYPE') and not string.find(added.err, 'equal or smaller') then return added end
      redis.call('DEL', log)
      redis.call(unpack(add))
    end
    redis.call('PEXPIRE', log, arg(6))
  end
  if change == 'set' then redis.call('HSET', tbl, field, arg(9)) end
  if change == 'del' then redis.call('HDEL', tbl, field) end
  redis.call('HSET', meta, 'offset', string.format('%.0f', offset), 'id', id, 'ttl', ttl, 'tableTtl', tableTtl)
  if isDocument then redis.call('HSET', meta, 'document', arg(19), 'documentId', id) end
  keep(meta, tbl, ttl, tableTtl)
  if arg(11) == '1' then
    redis.call('HSET', key, 'epoch', epoch, 'offset', string.format('%.0f', offset), 'id', id)
    redis.call('PEXPIRE', key, arg(17))
  end
  redis.call(arg(15), arg(14),
    string.format('%.0f:%d:%d:%d:', offset, #id, #last, #entry) .. id .. last .. entry .. body)
  return { 'appended', epoch, offset, id, previous }
end
local answers = {}
for index = 4, #KEYS do
  local isDone, answer = pcall(append, KEYS[index], (index - 4) * ${APPEND_ARGUMENTS})
  -- What Redis refuses is a table with its words; a fault of the script itself is a text.
  answers[#answers + 1] = (isDone or type(answer) == 'table') and answer or redis.error_reply('ERR ' .. tostring(answer))
end
return answers`,
);

/**
 * KEYS meta, log, table. ARGV 1 epoch should there be none, 2 ttl of a topic not heard of before, 3
 * offset to read the log from ('' for not at all), 4 how many of the newest at most, 5 '1' with the
 * table, 6 '1' with the document, 7 the id of the one that is known. Answers epoch, offset, id, log
 * (newest first), table, id and text of the document; 1 instead of the text that is known.
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

/**
 * KEYS meta, table of the first topic, of the second and so on. Answers { epoch, offset, id } or
 * nothing for each.
 */
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
 * KEYS a hash with the number of each instance's last beat. ARGV 1 instance, 2 number of this beat.
 * Answers the number of its beat before ('' when that is not known), instances and numbers in turn,
 * and the clock of Redis in milliseconds. Nothing is decided by that clock: it may be set, and then
 * keys live for longer or shorter than they should.
 */
export const beat = script(
  WRITES_LITTLE,
  `
local time = redis.call('TIME')
local before = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return { before or '', redis.call('HGETALL', KEYS[1]), time[1] * 1000 + math.floor(time[2] / 1000) }`,
);

/**
 * KEYS as above. ARGV instances and numbers in turn. Takes out those that have not beaten since,
 * and answers which those were.
 */
export const bury = script(
  WRITES_LITTLE,
  `
local gone = {}
for index = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[index]) == ARGV[index + 1] then
    redis.call('HDEL', KEYS[1], ARGV[index])
    gone[#gone + 1] = ARGV[index]
  end
end
return gone`,
);

/** KEYS as above. ARGV 1 instance. It leaves. */
export const leave = script(WRITES_LITTLE, `return redis.call('HDEL', KEYS[1], ARGV[1])`);

/** KEYS as above. Everyone who has not left and was not taken out. */
export const members = script(READS, `return redis.call('HKEYS', KEYS[1])`);
