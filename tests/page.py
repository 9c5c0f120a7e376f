#!/usr/bin/env python3
"""page.py - looks at the page in a real browser: headless Chromium through ChromeDriver.

usage: tests/page.py URL FOLDER LIVE-RUN-ID TOKEN. Every page on a desk, on a phone and in the dark: nothing wider than
the screen, no complaint of the browser (a policy that is broken is one), headings, labels, contrast; the
keyboard; a run under way with and without script; signing in, pausing a schedule and its audit, by keyboard alone. Screenshots go to FOLDER. One line a test, a closing count.
"""
import base64, json, os, subprocess, sys, time, urllib.request

url, folder, live_run, token = sys.argv[1].rstrip('/'), *sys.argv[2:5]
passed = failed = 0


def ok(what, good, said=''):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
    print(('ok - ' if good else 'not ok - ') + what + ('' if good else ': ' + str(said)[:300]), flush=True)


class Browser:
    """What is needed of the WebDriver protocol."""

    def __init__(self):
        self.driver = None
        self.has_session = False

    def open_session(self):
        self.driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=subprocess.PIPE, text=True)
        for line in self.driver.stdout:
            if 'successfully on port ' in line:
                self.base = 'http://127.0.0.1:' + line.split('on port ')[1].split('.')[0].strip()
                break
        args = ['--headless=new', '--disable-gpu', '--hide-scrollbars', '--user-data-dir=' + folder + '/profile']
        if os.geteuid() == 0:
            args.append('--no-sandbox')  # Chromium's own does not work for root
        options = {'args': args}
        answer = self.ask('POST', '/session', {'capabilities': {'alwaysMatch': {
            'browserName': 'chrome', 'goog:chromeOptions': options, 'goog:loggingPrefs': {'browser': 'ALL'}}}})
        self.base += '/session/' + answer['sessionId']
        self.has_session = True

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {'Content-Type': 'application/json'}, method=method)
        return json.load(urllib.request.urlopen(request, timeout=30))['value']

    def cdp(self, command, **params):
        return self.ask('POST', '/goog/cdp/execute', {'cmd': command, 'params': params})

    def open(self, path):
        self.ask('POST', '/url', {'url': url + path})

    def run(self, script, *args):
        return self.ask('POST', '/execute/sync', {'script': script, 'args': list(args)})

    def look(self, width, height, scheme):
        self.cdp('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.cdp('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])

    def complaints(self):
        return [entry['message'] for entry in self.ask('POST', '/se/log', {'type': 'browser'})
                if entry['level'] in ('SEVERE', 'WARNING') and '/nowhere - ' not in entry['message']]

    def save(self, name):
        with open(os.path.join(folder, name + '.png'), 'wb') as file:
            file.write(base64.b64decode(self.ask('GET', '/screenshot')))

    def press(self, key):
        self.ask('POST', '/actions', {'actions': [{'type': 'key', 'id': 'keys', 'actions': [
            {'type': 'keyDown', 'value': key}, {'type': 'keyUp', 'value': key}]}]})

    def type(self, text):
        for key in text:
            self.press(key)

    def where(self):
        return self.ask('GET', '/url')[len(url):]

    def close(self):
        try:
            if self.has_session:
                self.ask('DELETE', '')
        finally:
            if self.driver is not None:
                self.driver.terminate()
                self.driver.wait()


# Each gives a list of what is wrong.
WIDER = 'const w = document.documentElement; return w.scrollWidth > w.clientWidth ? [w.scrollWidth + " > " + w.clientWidth] : [];'
STRUCTURE = '''
const wrong = [];
const all = (s) => Array.from(document.querySelectorAll(s));
if (all('h1').length !== 1) wrong.push('h1: ' + all('h1').length);
if (all('main').length !== 1) wrong.push('main: ' + all('main').length);
if (!document.documentElement.lang) wrong.push('no lang');
all('th').forEach((th) => { if (!th.scope) wrong.push('th without scope: ' + th.textContent); });
all('svg').forEach((svg) => { if (!svg.getAttribute('aria-label') && !svg.querySelector('title')) wrong.push('svg without a name'); });
all('section').forEach((s) => { if (s.hasAttribute('aria-labelledby') && !document.getElementById(s.getAttribute('aria-labelledby'))) wrong.push('label leads nowhere'); });
all('input:not([type=hidden]),select').forEach((i) => { if (!i.labels.length) wrong.push('no label: ' + i.name); });
const ids = all('[id]').map((e) => e.id); if (new Set(ids).size !== ids.length) wrong.push('an id twice');
return wrong;'''
# WCAG 2: at least 4.5 to 1 for text.
CONTRAST = '''
const part = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const light = (c) => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
const read = (s) => { const n = s.match(/[0-9.]+/g).map(Number); return n.length > 3 && n[3] === 0 ? null : n; };
const behind = (e) => { for (; e; e = e.parentElement) { const c = read(getComputedStyle(e).backgroundColor); if (c) return c; } return [255, 255, 255]; };
const wrong = new Set();
for (const e of document.querySelectorAll('body *')) {
  if (e.closest('svg') || !Array.from(e.childNodes).some((n) => n.nodeType === 3 && n.data.trim())) continue;
  const a = light(read(getComputedStyle(e).color) || [0, 0, 0]), b = light(behind(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) wrong.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
}
return Array.from(wrong);'''


def look_at_pages(browser, pages):
    views = {'desk': (1280, 1000, 'light'), 'phone': (390, 844, 'light'), 'dark': (1280, 1000, 'dark')}
    for view, (width, height, scheme) in views.items():
        browser.look(width, height, scheme)
        for name, path in pages.items():
            browser.open(path)
            wrong = [browser.run(script) for script in (WIDER, STRUCTURE, CONTRAST)]
            ok(f'{name} fits a {view}', not wrong[0], wrong[0])
            ok(f'{name} on a {view} has its headings, labels and names', not wrong[1], wrong[1])
            ok(f'{name} on a {view} can be read', not wrong[2], wrong[2])
            browser.save(f'{name}-{view}')
    complaints = browser.complaints()
    ok('the browser complains of nothing', not complaints, complaints)


def use_keys(browser):
    browser.look(1280, 1000, 'light')
    browser.open('/runs')
    browser.press('\ue004')  # Tab
    first = browser.run('const e = document.activeElement; return [e.className, e.getBoundingClientRect().left >= 0];')
    ok('the first key leads past the navigation, and is seen', first == ['skip', True], first)
    browser.press('\ue004')
    outline = browser.run('return getComputedStyle(document.activeElement).outlineStyle;')
    ok('what has the focus is marked', outline == 'solid', outline)


def wait_until(holds, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.1)
    return False


def watch_live(browser):
    rows = 'return document.querySelectorAll("tbody tr").length;'
    browser.cdp('Emulation.setScriptExecutionDisabled', value=True)
    browser.open('/runs/' + live_run)
    html = urllib.request.urlopen(url + '/runs/' + live_run).read().decode()
    ok('without script a run under way is there, and comes again', 'http-equiv="refresh"' in html and '<tbody>' in html)
    browser.save('live-without-script')
    browser.cdp('Emulation.setScriptExecutionDisabled', value=False)
    browser.open('/runs/' + live_run)
    first = browser.run(rows)
    browser.save('live')
    ok('events come while one looks', wait_until(lambda: browser.run(rows) > first or browser.run(
        'return document.querySelector(".objectives") !== null;')))
    ok('at its end the page is the report', wait_until(lambda: browser.run(
        'return document.querySelector(".objectives") !== null;')))
    browser.save('live-ended')


ENTER, TAB = '\ue007', '\ue004'
FOCUS = 'const e = document.activeElement; return e.tagName + " " + e.textContent.trim();'


def tab_to(browser, wanted):
    """By the keyboard alone; what has the focus must be seen."""
    for _ in range(60):
        browser.press(TAB)
        if browser.run(FOCUS) == wanted:
            return browser.run('return getComputedStyle(document.activeElement).outlineStyle;') == 'solid'
    return False


def act(browser, view, width, height, scheme, has_script):
    """Signs in, pauses, reads what came of it, resumes and signs out."""
    browser.look(width, height, scheme)
    browser.open('/schedule')
    if has_script:
        ok(f'signing in is found by keyboard on a {view}', tab_to(browser, 'A Sign in'))
        browser.press(ENTER)
        ok(f'and leads to a form on a {view}', wait_until(lambda: browser.where() == '/sign-in'), browser.where())
        browser.save(f'act-sign-in-{view}')
    browser.cdp('Emulation.setScriptExecutionDisabled', value=not has_script)
    browser.open('/actions/pause?on=weekly')
    ok(f'who is not signed in is asked to on a {view}', browser.where().startswith('/sign-in?next='), browser.where())
    browser.type(token + ENTER)
    ok(f'and led back on a {view}', wait_until(lambda: browser.where() == '/actions/pause?on=weekly'), browser.where())
    browser.save(f'act-pause-{view}')
    browser.type('the cluster moves' + ENTER)
    ok(f'pausing leads to its audit on a {view}', wait_until(lambda: browser.where().startswith('/audit/')), browser.where())
    said = urllib.request.urlopen(url + browser.where()).read().decode()
    ok(f'which says so on a {view}', 'Schedule weekly is paused' in said and 'the cluster moves' in said, said)
    browser.save(f'act-paused-{view}')
    browser.open('/actions/resume?on=weekly')
    browser.type('it has moved' + ENTER)
    ok(f'resuming it as well on a {view}', wait_until(lambda: browser.where().startswith('/audit/')), browser.where())
    browser.cdp('Emulation.setScriptExecutionDisabled', value=False)
    browser.look(width, 2600, scheme)
    browser.open('/schedule')
    browser.save(f'act-schedule-{view}')
    for name, script in (('fits', WIDER), ('has its labels', STRUCTURE), ('can be read', CONTRAST)):
        wrong = browser.run(script)
        ok(f'a page with actions {name} on a {view}', not wrong, wrong)
    ok(f'signing out is found by keyboard on a {view}', tab_to(browser, 'BUTTON Sign out'))
    browser.press(ENTER)
    ok(f'and signs out on a {view}', wait_until(lambda: browser.where() == '/'), browser.where())
    browser.open('/actions/pause?on=weekly')
    ok(f'so that nothing can be done any more on a {view}', browser.where().startswith('/sign-in?next='), browser.where())


browser = Browser()
try:
    browser.open_session()
    watch_live(browser)
    act(browser, 'desk', 1280, 1000, 'light', True)
    act(browser, 'dark', 1280, 1000, 'dark', True)
    act(browser, 'phone-without-script', 390, 844, 'light', False)
    look_at_pages(browser, {'overview': '/', 'runs': '/runs', 'chosen': '/runs?verdict=MISSED&text=drill',
                            'trends': '/trends', 'coverage': '/coverage', 'kpi': '/kpi', 'schedule': '/schedule',
                            'audit': '/audit', 'audit-row': '/audit/2', 'sign-in': '/sign-in',
                            'run': '/runs/' + live_run, 'absent': '/nowhere'})
    use_keys(browser)
finally:
    browser.close()
print(f'page: {passed} passed, {failed} failed')
sys.exit(failed != 0)
