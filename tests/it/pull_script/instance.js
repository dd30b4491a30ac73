/*
 * What a server script of an instance finds there, as far as TandemPull asks: records over the simulator's Table API,
 * properties, a log, and outgoing HTTP. `http(method, url, authorization, body)` comes from the test; it answers JSON
 * with `status` and `body`.
 */
var Class = {
    create: function() {
        return function() { this.initialize.apply(this, arguments); };
    }
};

var said = [];
var gs = {
    getProperty: function(name, otherwise) { return name in properties ? properties[name] : otherwise; },
    warn: function(text) { said.push('warn: ' + text); },
    error: function(text) { said.push('error: ' + text); }
};

function table(method, path, body) {
    var answer = JSON.parse(http(method, INSTANCE + '/api/now/table/' + path, INSTANCE_USER, body));
    return { status: answer.status, json: answer.body ? JSON.parse(answer.body) : {} };
}

function GlideRecord(name) {
    this._table = name;
    this.initialize();
    this._conditions = [];
    this._order = '';
    this._limit = 1000;
    this._error = '';
}
GlideRecord.prototype = {
    isValid: function() { return table('GET', this._table + '?sysparm_limit=1', null).status === 200; },
    isValidField: function(field) {
        var asked = 'nameIN' + this._table + ',task^element=' + field;
        if (field.indexOf('sys_') === 0) return true;
        return table('GET', 'sys_dictionary?sysparm_limit=1&sysparm_query=' + encodeURIComponent(asked), null).json.result.length > 0;
    },
    initialize: function() {
        this._row = {};
        this._changes = {};
        this._found = [];
    },
    addQuery: function(field, value) { this._conditions.push(field + '=' + value); },
    orderBy: function(field) { this._order = '^ORDERBY' + field; },
    setLimit: function(limit) { this._limit = limit; },
    query: function() {
        var asked = encodeURIComponent(this._conditions.join('^') + this._order);
        this._found = table('GET', this._table + '?sysparm_limit=' + this._limit + '&sysparm_query=' + asked, null).json.result;
    },
    next: function() {
        if (!this._found.length) return false;
        this._row = this._found.shift();
        return true;
    },
    get: function(id) {
        var answer = table('GET', this._table + '/' + id, null);
        if (answer.status !== 200) return false;
        this._row = answer.json.result;
        return true;
    },
    getValue: function(field) { return this._row[field]; },
    setValue: function(field, value) { this._changes[field] = value; },
    getUniqueValue: function() { return this._row.sys_id; },
    getLink: function() { return this._table + '.do?sys_id=' + this._row.sys_id; },
    getLastErrorMessage: function() { return this._error; },
    insert: function() { return this._write('POST', this._table); },
    update: function() { return this._write('PATCH', this._table + '/' + this._row.sys_id); },
    _write: function(method, path) {
        /* Journals are set as members. */
        var journals = ['work_notes', 'comments'];
        for (var i = 0; i < journals.length; i++) {
            if (this.hasOwnProperty(journals[i])) this._changes[journals[i]] = this[journals[i]];
        }
        var answer = table(method, path, JSON.stringify(this._changes));
        if (answer.status > 299) {
            this._error = answer.json.error.message;
            return null;
        }
        this._row = answer.json.result;
        return this._row.sys_id;
    }
};

var sn_ws = {
    RESTMessageV2: function() { this._headers = {}; this._body = null; }
};
sn_ws.RESTMessageV2.prototype = {
    setEndpoint: function(url) { this._url = url; },
    setHttpMethod: function(method) { this._method = method; },
    setHttpTimeout: function() {},
    setRequestHeader: function(name, value) { this._headers[name] = value; },
    setRequestBody: function(body) { this._body = body; },
    execute: function() {
        var answer = JSON.parse(http(this._method.toUpperCase(), this._url, this._headers.Authorization, this._body));
        return {
            getStatusCode: function() { return answer.status; },
            getBody: function() { return answer.body; },
            getErrorMessage: function() { return answer.status ? '' : 'no answer'; }
        };
    }
};
