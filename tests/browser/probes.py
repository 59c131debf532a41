"""Questions to a page that Chromium has laid out. Each gives a list of what is wrong with it.

What they take for wrong is the list of checks of the screens: docs/ux.md.
"""

SHOWN = """
const shown = (element) => element.checkVisibility() && !element.closest('.vh, .skip');
const named = (element) => `${element.tagName} ${element.id || element.name || ''} `
  + `${(element.innerText || '').trim().slice(0, 40)}`;
const CONTROLS = 'a[href], button, input:not([type=hidden]), select, textarea, summary';
"""

# Nothing is wider than the place it has; with `whole`, no table has to be scrolled either.
CUT = (
    "({ whole }) => {"
    + SHOWN
    + """
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page is too wide');
  const edge = document.querySelector('main').getBoundingClientRect().right + 1;
  for (const element of document.querySelectorAll('main *')) {
    const scrolls = element.closest('.scroll');
    const may = scrolls && getComputedStyle(scrolls).overflowX === 'auto' && !whole;
    if (!may && shown(element) && getComputedStyle(element).position !== 'absolute'
        && !element.closest('svg') && element.getBoundingClientRect().right > edge)
      found.push(`out of its place: ${named(element)}`);
  }
  return found.slice(0, 5);
}"""
)

# What can be pressed is 24 px high and wide, but for links within a line of text.
SMALL = (
    "() => {"
    + SHOWN
    + """
  const found = [];
  for (const element of document.querySelectorAll(CONTROLS)) {
    if (!shown(element)) continue;
    const { width, height } = element.getBoundingClientRect();
    const isTick = /checkbox|radio/.test(element.type);
    if (isTick ? width < 20 || !element.labels.length : getComputedStyle(element).display
        !== 'inline' && Math.min(width, height) < 24)
      found.push(`${Math.round(width)}x${Math.round(height)}: ${named(element)}`);
  }
  return found;
}"""
)

# Whatever can have the focus shows it by a line of 3 px, and nothing lies over it or its label.
FOCUS = (
    "() => {"
    + SHOWN
    + """
  const found = [];
  const at = (x, y) => document.elementFromPoint(x, y);
  const related = (one, other) => one && (one.contains(other) || other.contains(one));
  const seen = (element) => {
    const { left, right, top, bottom } = element.getClientRects()[0];
    const x = left + Math.min(8, (right - left) / 2);
    const over = [at(x, top + 3), at(x, bottom - 3)];
    const own = [element, ...(element.labels || [])];
    return over.every((other) => own.some((each) => related(each, other)));
  };
  const forth = [...document.querySelectorAll(CONTROLS)];
  for (const element of [...forth, ...forth.toReversed()]) {
    if (!shown(element) || element.disabled) continue;
    element.focus({ focusVisible: true });
    if (document.activeElement !== element) { found.push(`no focus: ${named(element)}`); continue; }
    const { outlineWidth, outlineStyle } = getComputedStyle(element);
    if (outlineStyle === 'none' || parseFloat(outlineWidth) < 3)
      found.push(`its focus is not seen: ${named(element)}`);
    if (![element, ...(element.tagName === 'TEXTAREA' ? element.labels : [])].every(seen))
      found.push(`covered: ${named(element)}`);
  }
  if (document.querySelector('[tabindex]:not([tabindex="0"], [tabindex="-1"])'))
    found.push('an order of its own');
  return found;
}"""
)

# Nothing moves for long, states are words, and a region that is read out has no ticking figure.
MANNERS = (
    "() => {"
    + SHOWN
    + """
  const found = [];
  const longest = (value) => Math.max(...value.split(',').map(parseFloat));
  for (const element of document.querySelectorAll('*')) {
    const style = getComputedStyle(element);
    if (longest(style.transitionDuration) > .2 || style.animationName !== 'none')
      found.push(`moves: ${named(element)}`);
  }
  for (const tag of document.querySelectorAll('.tag'))
    if (shown(tag) && !tag.innerText.trim()) found.push(`a state without a word: ${named(tag)}`);
  for (const region of document.querySelectorAll('[role=status]'))
    if (region.querySelector('progress')) found.push(`ticks aloud: ${named(region)}`);
  for (const cell of document.querySelectorAll('td.num'))
    if (shown(cell) && !['right', 'end'].includes(getComputedStyle(cell).textAlign)
        && innerWidth > 640) found.push(`a figure on the left: ${named(cell)}`);
  for (const moment of document.querySelectorAll('time'))
    if (!moment.dateTime) found.push(`a time for people only: ${named(moment)}`);
  if (document.documentElement.lang !== 'ru') found.push('another language');
  return found;
}"""
)

# On paper: no menu, nothing to press, the head of a table again on each page.
PRINTED = (
    "() => {"
    + SHOWN
    + """
  const found = [];
  const screen = '.side, .btn, .pager, .bar, .toolbar, .quick, .filters, .field, .langs, button';
  for (const element of document.querySelectorAll(screen))
    if (shown(element)) found.push(`on paper: ${named(element)}`);
  for (const head of document.querySelectorAll('thead'))
    if (shown(head) && getComputedStyle(head).display !== 'table-header-group')
      found.push(`a head that stands once: ${named(head)}`);
  return found;
}"""
)

# What Tab leads to, and where it has led: the place among all elements, and the ring's width. Of
# the buttons of one question only one is led to.
COUNT = (
    "() => {"
    + SHOWN
    + """
  const controls = [...document.querySelectorAll(CONTROLS)].filter(
    (element) => (shown(element) || element.closest('.skip')) && !element.disabled);
  const choices = controls.filter((element) => element.type === 'radio');
  const asked = new Set(choices.map((element) => element.name));
  return controls.length - choices.length + asked.size;
}"""
)
HERE = """() => {
  const element = document.activeElement;
  const all = [...document.querySelectorAll('*')];
  const place = element === document.body ? -1 : all.indexOf(element);
  return [place, parseFloat(getComputedStyle(element).outlineWidth)];
}"""


def everything(page):
    """What is wrong with a page at 1280 px, at 640 (it is enlarged twice), and on paper."""
    found = [*page.evaluate(CUT, {"whole": True}), *page.evaluate(SMALL), *page.evaluate(MANNERS)]
    found += page.evaluate(FOCUS)
    page.set_viewport_size({"width": 640, "height": 450})
    found += [f"enlarged: {each}" for each in page.evaluate(CUT, {"whole": False})]
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(media="print")
    found += page.evaluate(PRINTED)
    page.emulate_media(media="screen")
    return found
