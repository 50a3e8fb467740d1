const mostShown = 300

/**
 * `<token-flow src="…">`: follows server-sent events, each of which is an `<li id="…">`, and keeps the list inside up to
 * date. Without script the list stays as the server rendered it.
 */
class TokenFlow extends HTMLElement {
  #events
  #list
  /** What scrolls, where the list has a box of its own. */
  #box

  connectedCallback() {
    this.#list = this.querySelector('ol')
    this.#box = this.closest('.boxed')
    this.#box?.scrollTo({ top: this.#box.scrollHeight })
    this.#events = new EventSource(this.getAttribute('src'))
    this.#events.addEventListener('message', ({ data }) => this.#show(data))
    this.addEventListener('click', ({ target }) => this.#bringIntoView(target.closest('summary')))
  }

  disconnectedCallback() {
    this.#events.close()
  }

  #show(html) {
    const parsed = new DOMParser().parseFromString(html, 'text/html')
    const line = document.adoptNode(parsed.querySelector('li'))
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

  /** What a reader opens at the end of the box would open below its edge. */
  #bringIntoView(summary) {
    const line = summary?.parentElement
    requestAnimationFrame(() => line?.open && line.scrollIntoView({ block: 'nearest' }))
  }

  /** Whoever has scrolled up to read is left in peace. */
  #isAtEnd() {
    return this.#box !== null && this.#box.scrollTop + this.#box.clientHeight > this.#box.scrollHeight - 60
  }
}

/** Changes what a line says, and not the line: it may have the focus, be open, or be just under a reader's finger. */
function update(known, line) {
  if (known.innerHTML === line.innerHTML) return
  known.classList.remove('waiting', 'good', 'refused', 'failed')
  known.classList.add(...line.classList)
  for (const part of ['summary', '.inside'])
    known.querySelector(part).replaceChildren(...line.querySelector(part).childNodes)
}

customElements.define('token-flow', TokenFlow)
