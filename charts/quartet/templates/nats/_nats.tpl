{{- define "quartet.nats.name" -}}
{{ .Release.Name }}-nats
{{- end }}

{{- define "quartet.nats.selector" -}}
app.kubernetes.io/name: quartet-nats
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "quartet.nats.labels" -}}
{{ include "quartet.nats.selector" . }}
{{ include "quartet.commonLabels" . }}
{{- end }}

{{/* Set when NATS runs elsewhere. */}}
{{- define "quartet.nats.external" -}}
{{- if .Values.nats.external.url }}true{{ end }}
{{- end }}

{{- define "quartet.nats.validate" -}}
{{- if and .Values.nats.enabled .Values.nats.external.url }}
{{- fail "nats.enabled and nats.external.url are both set: set nats.enabled=false to use the NATS at that address, or remove the address to run NATS from this chart" }}
{{- end }}
{{- if not (or .Values.nats.enabled .Values.nats.external.url) }}
{{- fail "there is no NATS: set nats.enabled=true to run it from this chart, or nats.external.url to the address of another" }}
{{- end }}
{{- end }}

{{/* Each server by its own name: a client that lost one tries another at once, and certificates fit. */}}
{{- define "quartet.nats.url" -}}
{{- if .Values.nats.enabled }}
{{- $servers := list }}
{{- range $i := until (int .Values.nats.replicas) }}
{{- $servers = append $servers (printf "nats://%s-%d.%s-headless.%s.svc:4222" (include "quartet.nats.name" $) $i (include "quartet.nats.name" $) $.Release.Namespace) }}
{{- end }}
{{- join "," $servers }}
{{- else }}
{{- .Values.nats.external.url }}
{{- end }}
{{- end }}

{{/* Where each server tells how it is: whether it writes to disk before it acknowledges is seen nowhere else. */}}
{{- define "quartet.nats.monitors" -}}
{{- if .Values.nats.enabled }}
{{- $servers := list }}
{{- range $i := until (int .Values.nats.replicas) }}
{{- $servers = append $servers (printf "http://%s-%d.%s-headless.%s.svc:8222" (include "quartet.nats.name" $) $i (include "quartet.nats.name" $) $.Release.Namespace) }}
{{- end }}
{{- join "," $servers }}
{{- else }}
{{- join "," .Values.nats.external.monitors }}
{{- end }}
{{- end }}

{{/* Copies of each stream. */}}
{{- define "quartet.nats.streamReplicas" -}}
{{- if .Values.nats.enabled }}{{ .Values.nats.replicas }}{{ else }}{{ .Values.nats.external.replicas }}{{ end }}
{{- end }}

{{/* The Secret with a password per user; empty when NATS asks for none. */}}
{{- define "quartet.nats.passwords" -}}
{{- if .Values.nats.enabled }}
{{- .Values.nats.existingSecret | default (printf "%s-passwords" (include "quartet.nats.name" .)) }}
{{- else }}
{{- .Values.nats.external.existingSecret }}
{{- end }}
{{- end }}

{{/* The Secret whose ca.crt signs the certificates of NATS; empty without TLS. */}}
{{- define "quartet.nats.certificates" -}}
{{- if .Values.nats.enabled }}
{{- if .Values.nats.tls.enabled }}
{{- .Values.nats.tls.existingSecret | default (printf "%s-tls" (include "quartet.nats.name" .)) }}
{{- end }}
{{- else }}
{{- .Values.nats.external.caSecret }}
{{- end }}
{{- end }}

{{/*
The configuration of nats-server. It holds no secret: passwords are variables of the environment. Permissions come from
contract/permissions.ts.
*/}}
{{- define "quartet.nats.conf" -}}
{{- $permissions := .Files.Get "files/nats-permissions.json" | fromJson -}}
server_name: $POD_NAME
listen: "0.0.0.0:4222"
http: "0.0.0.0:8222"
pid_file: "/var/run/nats/nats.pid"
# An entry of a log and its headers fit.
max_payload: 8388608
max_pending: 268435456
write_deadline: "10s"
# On shutdown leaders go elsewhere first, then clients are sent away one by one.
lame_duck_grace_period: "5s"
lame_duck_duration: "30s"
jetstream {
  store_dir: "/data"
  # What was acknowledged is on the disk.
  sync_interval: always
  max_memory_store: 67108864
  {{- with .Values.nats.maxFileStore }}
  max_file_store: {{ . }}
  {{- end }}
}
{{- if .Values.nats.tls.enabled }}
tls {
  cert_file: "/etc/nats-tls/tls.crt"
  key_file: "/etc/nats-tls/tls.key"
  ca_file: "/etc/nats-tls/ca.crt"
}
{{- end }}
{{- if gt (int .Values.nats.replicas) 1 }}
cluster {
  name: {{ include "quartet.nats.name" . | quote }}
  listen: "0.0.0.0:6222"
  # Clients know all servers by name; addresses of pods would not fit the certificates.
  no_advertise: true
  authorization { user: route, password: $ROUTE_PASSWORD, timeout: 5 }
  {{- if .Values.nats.tls.enabled }}
  tls {
    cert_file: "/etc/nats-tls/tls.crt"
    key_file: "/etc/nats-tls/tls.key"
    ca_file: "/etc/nats-tls/ca.crt"
    timeout: 5
  }
  {{- end }}
  routes: [
    {{- range $i := until (int .Values.nats.replicas) }}
    $ROUTE_{{ $i }}
    {{- end }}
  ]
}
{{- end }}
system_account: SYSTEM
accounts {
  SYSTEM { users: [ { user: system, password: $SYSTEM_PASSWORD } ] }
  QUARTET {
    jetstream: enabled
    users: [
      {{- range $user, $may := $permissions.users }}
      {
        user: {{ $user }}, password: ${{ upper $user }}_PASSWORD
        permissions {
          publish { allow: {{ $may.publish | toRawJson }}, deny: {{ $permissions.deniedPublish | toRawJson }} }
          subscribe { allow: {{ $may.subscribe | toRawJson }} }
        }
      }
      {{- end }}
    ]
  }
}
{{- end }}

{{/* What a process needs to reach NATS as the operator, which knows the passwords of all. */}}
{{- define "quartet.nats.env" -}}
- name: QUARTET_NATS_URL
  value: {{ include "quartet.nats.url" . | quote }}
- name: QUARTET_NATS_MONITORS
  value: {{ include "quartet.nats.monitors" . | quote }}
- name: QUARTET_NATS_REPLICAS
  value: {{ include "quartet.nats.streamReplicas" . | quote }}
{{- with include "quartet.nats.passwords" . }}
{{- $passwords := . }}
{{- range $user := list "operator" "edge" "search" "chat" "db" }}
- name: QUARTET_NATS_{{ upper $user }}_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ $passwords }}, key: {{ $user }}-password } }
{{- end }}
{{- end }}
{{- with include "quartet.nats.certificates" . }}
- name: QUARTET_NATS_CA
  valueFrom: { secretKeyRef: { name: {{ . }}, key: ca.crt } }
{{- end }}
{{- end }}
