/*
 * Pulls requests from Tandem, writes the tickets, and tells Tandem what became of each.
 *
 * GET  tandem.pull.retrieve_url?limit=N
 *      [ { "id", "fence", "event_type", "incident_id", "operation", "table", "correlation_id", "sys_id" (but of a create),
 *          "fields": { column: value }, "references": [ { "field", "table", "by", "value" } ] } ]
 * POST tandem.pull.callback_url
 *      { "id", "fence", "incident_id", and either "sys_id", "number" and "url", or "error" and "retry" }
 *
 * A request that is not answered comes again when its lease is over, so a ticket is always looked for before it is made.
 */
var TandemPull = Class.create();
TandemPull.prototype = {
    initialize: function() {
        this.retrieveUrl = gs.getProperty('tandem.pull.retrieve_url', '');
        this.callbackUrl = gs.getProperty('tandem.pull.callback_url', '');
        this.token = gs.getProperty('tandem.pull.token', '');
        this.count = parseInt(gs.getProperty('tandem.pull.count', '20'), 10) || 20;
        this.midServer = gs.getProperty('tandem.pull.mid_server', '');
    },

    /* Returns how many requests were answered. */
    run: function() {
        if (!this.retrieveUrl || !this.callbackUrl) {
            gs.warn('Tandem Pull: set tandem.pull.retrieve_url and tandem.pull.callback_url, or deactivate the job.');
            return 0;
        }
        var requests = this._retrieve();
        for (var i = 0; i < requests.length; i++) {
            this._answer(requests[i], this._write(requests[i]));
        }
        return requests.length;
    },

    _retrieve: function() {
        var response = this._send('get', this.retrieveUrl + '?limit=' + this.count, null);
        if (response.status !== 200) {
            gs.error('Tandem Pull: retrieving answered ' + response.status + '. ' + response.reason);
            return [];
        }
        try {
            return JSON.parse(response.body);
        } catch (e) {
            gs.error('Tandem Pull: what was retrieved is not JSON: ' + e);
            return [];
        }
    },

    /* Returns the ticket, or why there is none. Never throws: one request must not stop the others. */
    _write: function(request) {
        try {
            var ticket = new GlideRecord(request.table);
            if (!ticket.isValid()) {
                return { error: 'there is no table ' + request.table, retry: false };
            }
            var found = this._find(ticket, request);
            if (!found && request.sys_id) {
                return { error: 'there is no ' + request.table + ' with the sys_id ' + request.sys_id, retry: false };
            }
            if (!found) {
                ticket.initialize();
            }
            this._fill(ticket, request);
            var written = found ? ticket.update() : ticket.insert();
            if (!written) {
                return { error: 'ServiceNow refused the ticket: ' + (ticket.getLastErrorMessage() || 'no reason was given') };
            }
            return {
                sys_id: ticket.getUniqueValue(),
                number: ticket.getValue('number'),
                url: gs.getProperty('glide.servlet.uri') + ticket.getLink(true)
            };
        } catch (e) {
            return { error: 'the script failed: ' + e };
        }
    },

    /* An empty correlation would match every ticket that has none. */
    _find: function(ticket, request) {
        if (request.sys_id) {
            return ticket.get(request.sys_id);
        }
        if (!request.correlation_id) {
            throw 'the request has no correlation_id';
        }
        ticket.addQuery('correlation_id', request.correlation_id);
        ticket.orderBy('sys_created_on');
        ticket.setLimit(1);
        ticket.query();
        return ticket.next();
    },

    _fill: function(ticket, request) {
        for (var name in request.fields) {
            if (request.fields.hasOwnProperty(name) && ticket.isValidField(name)) {
                /* Journals take a value only this way. */
                if (name === 'work_notes' || name === 'comments') {
                    ticket[name] = request.fields[name];
                } else {
                    ticket.setValue(name, request.fields[name]);
                }
            }
        }
        for (var i = 0; i < request.references.length; i++) {
            var id = this._resolve(request.references[i]);
            if (id) {
                ticket.setValue(request.references[i].field, id);
            }
        }
    },

    /* A reference that names nothing leaves the field as it is. */
    _resolve: function(reference) {
        var record = new GlideRecord(reference.table);
        if (!record.isValid() || !record.isValidField(reference.by)) {
            return '';
        }
        record.addQuery(reference.by, reference.value);
        record.setLimit(1);
        record.query();
        return record.next() ? record.getUniqueValue() : '';
    },

    _answer: function(request, result) {
        var answer = { id: request.id, fence: request.fence, incident_id: request.incident_id };
        for (var key in result) {
            answer[key] = result[key];
        }
        var response = this._send('post', this.callbackUrl, JSON.stringify(answer));
        if (response.status < 200 || response.status > 299) {
            gs.error('Tandem Pull: the answer about ' + request.incident_id + ' was refused with ' + response.status + '. ' + response.reason);
        }
    },

    _send: function(method, url, body) {
        var request = new sn_ws.RESTMessageV2();
        request.setEndpoint(url);
        request.setHttpMethod(method);
        request.setHttpTimeout(30000);
        request.setRequestHeader('Authorization', 'Bearer ' + this.token);
        request.setRequestHeader('Accept', 'application/json');
        if (this.midServer) {
            request.setMIDServer(this.midServer);
        }
        if (body !== null) {
            request.setRequestHeader('Content-Type', 'application/json');
            request.setRequestBody(body);
        }
        try {
            var response = request.execute();
            return { status: response.getStatusCode(), body: response.getBody(), reason: response.getErrorMessage() || '' };
        } catch (e) {
            return { status: 0, body: '', reason: String(e) };
        }
    },

    type: 'TandemPull'
};
