const mostShown = 300

/**
 * `<token-flow src="…" data-boot="…">` updates its list with server-sent events, each of which is an `<li id="…">`.
 * Without script, the list stays as the server rendered it.
 */
class TokenFlow extends HTMLElement {
  #events
  #list
  /** The scrolling box around the list, if there is one. */
  #box

  connectedCallback() {
    this.#list = this.querySelector('ol')
    this.#box = this.closest('.boxed')
    this.#box?.scrollTo({ top: this.#box.scrollHeight })
    this.#events = new EventSource(this.getAttribute('src'))
    this.#events.addEventListener('boot', ({ data }) => this.#startAnew(data))
    this.#events.addEventListener('message', ({ data }) => this.#show(data))
    this.#events.addEventListener('panel', ({ data }) => showPanel(data))
    this.#events.addEventListener('open', () => this.#tellConnection(true))
    this.#events.addEventListener('error', () => this.#tellConnection(false))
    this.addEventListener('click', ({ target }) => this.#bringIntoView(target.closest('summary')))
    openTarget()
  }

  disconnectedCallback() {
    this.#events.close()
  }

  /** Removes the lines of an earlier start of the shop. */
  #startAnew(boot) {
    if (this.dataset.boot === boot) return
    this.dataset.boot = boot
    if (this.#box === null) return
    this.#box.querySelectorAll('.earlier, .divider').forEach(part => part.remove())
    this.#list.replaceChildren()
    const note = document.createElement('li')
    note.className = 'divider'
    note.textContent = 'The shop was restarted.'
    this.#list.append(note)
  }

  #tellConnection(isOpen) {
    this.querySelector('.connection').hidden = isOpen
  }

  #show(html) {
    const line = parse(html).querySelector('li')
    const known = document.getElementById(line.id)
    if (known === null) {
      const atEnd = this.#isAtEnd()
      this.#list.append(line)
      line.classList.add('new')
      if (this.#list.children.length > mostShown) this.#list.firstElementChild.remove()
      if (atEnd) this.#box?.scrollTo({ top: this.#box.scrollHeight })
    } else update(known, line)
    this.querySelector('.empty').hidden = true
  }

  /** Scrolls an opened line into view, which would otherwise open below the edge of the box. */
  #bringIntoView(summary) {
    const line = summary?.parentElement
    requestAnimationFrame(() => line?.open && line.scrollIntoView({ block: 'nearest' }))
  }

  /** The box follows new lines only if the reader has not scrolled up. */
  #isAtEnd() {
    return this.#box !== null && this.#box.scrollTop + this.#box.clientHeight > this.#box.scrollHeight - 60
  }
}

function parse(html) {
  return document.adoptNode(new DOMParser().parseFromString(html, 'text/html').body)
}

/** Replaces the content of a line but keeps its element, which may be open or have the focus. */
function update(known, line) {
  if (known.innerHTML === line.innerHTML) return
  known.classList.remove('waiting', 'good', 'refused', 'failed')
  known.classList.add(...line.classList)
  for (const part of ['summary', '.inside'])
    known.querySelector(part).replaceChildren(...line.querySelector(part).childNodes)
}

/** Updates the switches after a change in another window. */
function showPanel(html) {
  const panel = document.querySelector('live-panel')
  const next = parse(html)
  if (panel === null || words(panel) === words(next)) return
  const focused = document.activeElement?.closest('.switches form')?.elements.name.value
  const titles = panel.querySelectorAll('.switches details[open] h3')
  const opened = new Set([...titles].map(title => title.textContent))
  panel.replaceChildren(...next.childNodes)
  for (const details of panel.querySelectorAll('.switches details'))
    details.open = opened.has(details.querySelector('h3').textContent)
  panel.querySelector(`[value="${focused}"] ~ button`)?.focus()
}

function words(node) {
  return node.textContent.replaceAll(/\s+/g, ' ').trim()
}

/** Opens a closed line if a link leads into it, for browsers that do not do this. */
function openTarget() {
  const target = location.hash === '' ? null : document.getElementById(location.hash.slice(1))
  const details = target?.closest('details')
  if (!details) return
  details.open = true
  requestAnimationFrame(() => details.querySelector('summary').scrollIntoView())
}

addEventListener('hashchange', openTarget)
// A click on a link to the current hash causes no `hashchange` event.
addEventListener('click', ({ target }) => target.closest('a[href^="#x"]') && setTimeout(openTarget))
customElements.define('token-flow', TokenFlow)
