{{- define "quartet.commonLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: quartet
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "quartet.labels" -}}
{{ include "quartet.selector" . }}
{{ include "quartet.commonLabels" . }}
{{- end }}

{{- define "quartet.selector" -}}
app.kubernetes.io/name: quartet-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "quartet.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Pod Security "restricted", the part of the pod. */}}
{{- define "quartet.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
# Volumes with many files are not walked at every start.
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Pod Security "restricted", the part of each container, and more: nothing writes to its image. */}}
{{- define "quartet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Who reads metrics: pods of a namespace, or anyone. */}}
{{- define "quartet.fromMonitoring" -}}
from:
  {{- if . }}
  - namespaceSelector:
      matchLabels:
        kubernetes.io/metadata.name: {{ . }}
  {{- else }}
  - namespaceSelector: {}
  {{- end }}
{{- end }}
