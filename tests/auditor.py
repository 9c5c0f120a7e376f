"""auditor.py BUNDLE - checks a bundle with nothing of ours: manifest, chain of events, and the observed RTO
computed again from the CSV. Prints "PROBE LOW_NS HIGH_NS" for each probe with a span; exits 1 with a sentence
when something does not fit."""
import csv
import hashlib
import io
import json
import sys
import tarfile


def need(fits, sentence):
    if not fits:
        sys.exit(sentence)


archive = tarfile.open(sys.argv[1], 'r:')
members = {m.name.split('/', 1)[1]: archive.extractfile(m).read() for m in archive.getmembers()}

manifest = members.pop('MANIFEST.sha256').decode().splitlines()
listed = dict(reversed(line.split('  ')) for line in manifest if not line.startswith('#'))
need(set(listed) == set(members), 'manifest and members differ')
for name, hash_text in listed.items():
    need(hashlib.sha256(members[name]).hexdigest() == hash_text, name + ' is not as it was written')


def rows(name):
    return [json.loads(line) for line in members[name].decode().splitlines()]


def field(value):
    if value is None:
        return b'-,'
    if isinstance(value, int):
        return b'%d,' % value
    raw = bytes.fromhex(value['hex']) if isinstance(value, dict) else value.encode()
    return b'%d:%s,' % (len(raw), raw)


previous = rows('run.json')[0]['seal']
for event in rows('events.jsonl'):
    sealed = b''.join(field(event[key]) for key in event if key != 'hash')
    previous = hashlib.sha256(previous.encode() + sealed).hexdigest()
    need(previous == event['hash'], 'event %d does not fit the chain' % event['number'])

report = json.loads(members['report/report.json'])
fault = report['fault']
for number, track in enumerate(rows('tracks.jsonl'), 1):
    probe = next(p for p in report['probes'] if p['name'] == track['probe'])
    if fault is None or probe['rto']['kind'] != 'span':
        continue
    sent, confirmed = fault['sent']['ns'], fault['confirmed']['ns']
    stable_from = probe['stable_from']['ns']
    last_bad = first_good = None
    for row in csv.DictReader(io.StringIO(members['samples/%02d-%s.csv' % (number, track['probe'])].decode())):
        due = track['t0_ns'] + int(row['slot']) * track['every_ns']
        if row['state'] not in ('good', 'bad') or due < sent:
            continue
        done = due + int(row['late_ns']) + int(row['took_ns'])
        if row['state'] == 'bad' and due < stable_from:
            last_bad, first_good = due, None
        elif row['state'] == 'good' and last_bad is not None and first_good is None:
            first_good = done
    low, high = max(0, last_bad - confirmed), first_good - sent
    need((low, high) == (probe['rto']['low_ns'], probe['rto']['high_ns']),
         '%s: computed %d to %d, reported %s' % (track['probe'], low, high, probe['rto']))
    print(track['probe'], low, high)
